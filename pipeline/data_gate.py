"""DataGate: nothing is built of tables that statistics show to be wrong."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from apache_beam.io.filesystems import FileSystems
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, channel, component_spec
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import ExampleAnomalies

from pipeline.artifacts import DataReview
from pipeline.drift_validator import ANOMALIES_FILE, VANISHED_VALUE
from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.table_batches import EXTRA_COLUMNS
from schema import features
from trainer.anomalies import Anomaly, DataError, Severity

REVIEW, REVIEW_FILE = "review", "review.json"
ALLOW_DRIFT = "allow_drift"
_VALIDATED, _DRIFT = "_anomalies", "_drift"  # ends of inputs' names
_SOURCES = ("pipeline.data_gate", "pipeline.drift_validator", "schema",
            "trainer.anomalies")

_FILL_IN = (
    "the column is required; fill in its values. What is no number in a "
    "column of numbers counts as missing."
)
_COMPARE = (
    "find out what changed before a model learns it; if it is meant, run with "
    "allow_drift."
)
# Name in tensorflow_metadata -> ours, severity, remedy.
_KINDS: dict[str, tuple[str, Severity, str]] = {
    "SCHEMA_NEW_COLUMN": (
        "unknown_column", "note", "the data contract does not know it, and it "
        "is not read.",
    ),
    "SCHEMA_MISSING_COLUMN": ("missing_column", "error", _FILL_IN),
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": ("missing_values", "error", _FILL_IN),
    "FEATURE_TYPE_LOW_NUMBER_PRESENT": ("missing_values", "error", _FILL_IN),
    "FEATURE_TYPE_NOT_PRESENT": ("missing_values", "error", _FILL_IN),
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": (
        "unexpected_values", "error", "write one of the schema's values.",
    ),
    "INT_TYPE_SMALL_INT": (
        "out_of_range", "note", "such rows are rejected one by one.",
    ),
    "INT_TYPE_BIG_INT": (
        "out_of_range", "note", "such rows are rejected one by one.",
    ),
    "UNEXPECTED_DATA_TYPE": (
        "wrong_type", "error", "write values of the schema's type.",
    ),
    "COMPARATOR_L_INFTY_HIGH": ("drift", "error", _COMPARE),
    "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH": ("drift", "error", _COMPARE),
    "COMPARATOR_TREATMENT_DATA_MISSING": ("drift", "error", _COMPARE),
    "COMPARATOR_CONTROL_DATA_MISSING": (
        "new_column", "note", "there is nothing to compare it with.",
    ),
    "COMPARATOR_LOW_NUM_EXAMPLES": ("row_count_drift", "error", _COMPARE),
    "COMPARATOR_HIGH_NUM_EXAMPLES": ("row_count_drift", "error", _COMPARE),
    "DATASET_LOW_NUM_EXAMPLES": ("empty_table", "error", "add rows."),
}
_DRIFTS = {"drift", "skew", "row_count_drift", VANISHED_VALUE}
_TRAINING_SERVING = "training and serving"  # in TFDV's description of skew


def _kind_of(reason: Any) -> tuple[str, Severity, str]:
    if reason.short_description == VANISHED_VALUE:
        return VANISHED_VALUE, "error", _COMPARE
    kind = anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
    name, severity, remedy = _KINDS.get(
        kind, (kind.lower(), "error", "mend the table or its schema.")
    )
    if name == "drift" and _TRAINING_SERVING in reason.description:
        name = "skew"
    return name, severity, remedy


def named_anomalies(
    found: anomalies_pb2.Anomalies, table: str
) -> Iterator[Anomaly]:
    """What TFDV found, by names of ours.

    Args:
        found: in one split.
        table: name of the table. Its users may bring any columns.
    """
    columns = [
        (column, found.anomaly_info[column].reason)
        for column in sorted(found.anomaly_info)
        if column not in EXTRA_COLUMNS
    ]
    for column, reasons in [*columns, ("", found.dataset_anomaly_info.reason)]:
        for reason in reasons:
            name, severity, remedy = _kind_of(reason)
            if name == "unknown_column" and table == features.USERS:
                continue
            text = reason.description.rstrip(". ")
            yield Anomaly(
                name, table, column, 0, (), f"{text}; {remedy}", severity
            )


def _read(artifact: Artifact) -> Iterator[anomalies_pb2.Anomalies]:
    for split in artifact_utils.decode_split_names(artifact.split_names):
        uri = artifact_utils.get_split_uri([artifact], split)
        with FileSystems.open(os.path.join(uri, ANOMALIES_FILE)) as file:
            yield anomalies_pb2.Anomalies.FromString(file.read())


def _softened(anomaly: Anomaly) -> Anomaly:
    if anomaly.name not in _DRIFTS:
        return anomaly
    return dataclasses.replace(anomaly, severity="note")


class DataGateExecutor(base_executor.BaseExecutor):
    """Reads all anomalies and stops the run at the first gate."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes review.json.

        Raises:
            DataError: if any anomaly is an error; it lists all of them.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        anomalies = [
            anomaly
            for key in _input_keys()
            for artifact in input_dict.get(key) or []
            for found in _read(artifact)
            for anomaly in named_anomalies(found, key.partition("_")[0])
        ]
        if exec_properties[ALLOW_DRIFT]:
            anomalies = [_softened(anomaly) for anomaly in anomalies]
        uri = artifact_utils.get_single_uri(output_dict[REVIEW])
        values = [dataclasses.asdict(anomaly) for anomaly in anomalies]
        if not FileSystems.exists(uri):
            FileSystems.mkdirs(uri)
        with FileSystems.create(os.path.join(uri, REVIEW_FILE)) as file:
            file.write(json.dumps({"anomalies": values}, indent=1).encode())
        if any(anomaly.severity == "error" for anomaly in anomalies):
            raise DataError(anomalies, "The statistics of the tables are bad.")


def _input_keys() -> list[str]:
    ends = (_VALIDATED, _DRIFT)
    return [table + end for end in ends for table in features.COLUMNS]


class DataGateSpec(component_spec.ComponentSpec):
    """Inputs, outputs and properties of `DataGate`."""

    PARAMETERS = {
        ALLOW_DRIFT: component_spec.ExecutionParameter(type=int),
        CODE_FINGERPRINT: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        key: component_spec.ChannelParameter(
            type=ExampleAnomalies, optional=True
        )
        for key in _input_keys()
    }
    OUTPUTS = {REVIEW: component_spec.ChannelParameter(type=DataReview)}


class DataGate(base_component.BaseComponent):
    """Lets a run go on if no table has an anomaly that is an error."""

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(DataGateExecutor)

    def __init__(
        self,
        anomalies: Mapping[str, channel.BaseChannel],
        *,
        drift: Mapping[str, channel.BaseChannel] | None = None,
        allow_drift: bool = False,
    ) -> None:
        """Connects the component.

        Args:
            anomalies: table -> ExampleValidator's anomalies.
            drift: table -> DriftValidator's.
            allow_drift: take drift, skew, vanished values and changed numbers
                of rows as notes.
        """
        inputs = {table + _VALIDATED: c for table, c in anomalies.items()}
        inputs |= {table + _DRIFT: c for table, c in (drift or {}).items()}
        spec = DataGateSpec(
            **inputs,
            allow_drift=int(allow_drift),
            review=channel.Channel(type=DataReview),
            code_fingerprint=source_fingerprint(*_SOURCES),
        )
        super().__init__(spec=spec)
