"""DriftValidator: is this span like the last one, and like what is asked?

Writes what ExampleValidator writes, so that one gate reads both.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import (
    anomalies_pb2,
    schema_pb2,
    statistics_pb2,
)
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, channel, component_spec
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import (
    ExampleAnomalies,
    ExampleStatistics,
    Schema,
)
from tfx.utils import io_utils, writer_utils

from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.statistics import load_splits, value_shares
from schema import features

STATISTICS, SCHEMA, ANOMALIES = "statistics", "schema", "anomalies"
PREVIOUS, SERVING = "previous_statistics", "serving_statistics"
VANISHED_VALUE = "vanished_value"  # a name of ours, where TFDV has types
ANOMALIES_FILE = "SchemaDiff.pb"
_TRAINING = "TRAINING"  # environment
_WATCHED = (features.SCENARIO, features.EVENT_TYPE)
_MIN_SHARE = 0.01  # of a value that may not vanish
_SOURCES = ("pipeline.drift_validator", "pipeline.statistics", "schema")

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList


def vanished_values(
    current: Statistics, previous: Statistics, column: str
) -> dict[str, float]:
    """Values of at least 1 % before that are not there now, with that share.

    None, where there are more values now than statistics keep.
    """
    now, is_cut = value_shares(current, column)
    before, _ = value_shares(previous, column)
    if is_cut:
        return {}
    return {
        value: share
        for value, share in before.items()
        if share >= _MIN_SHARE and value not in now
    }


def _add_vanished(
    anomalies: anomalies_pb2.Anomalies, column: str, values: dict[str, float]
) -> None:
    info = anomalies.anomaly_info[column]
    info.path.step[:] = [column]
    info.severity = anomalies_pb2.AnomalyInfo.ERROR
    shown = ", ".join(f"{v!r} ({share:.1%})" for v, share in values.items())
    info.reason.add(
        type=anomalies_pb2.AnomalyInfo.UNKNOWN_TYPE,
        short_description=VANISHED_VALUE,
        description=f"there before and in no row now: {shown}.",
    )


def _keep_comparisons(anomalies: anomalies_pb2.Anomalies) -> None:
    """Leaves to ExampleValidator what one span shows by itself."""
    kinds = anomalies_pb2.AnomalyInfo.Type
    for column in list(anomalies.anomaly_info):
        info = anomalies.anomaly_info[column]
        kept = [
            reason
            for reason in info.reason
            if kinds.Name(reason.type).startswith("COMPARATOR")
        ]
        del info.reason[:]
        info.reason.extend(kept)
        if not kept:
            del anomalies.anomaly_info[column]


def find_drift(
    current: Statistics,
    schema: schema_pb2.Schema,
    previous: Statistics | None,
    serving: Statistics | None,
) -> anomalies_pb2.Anomalies:
    """Anomalies of one split; none where there is nothing to compare with."""
    if previous is None and serving is None:
        return anomalies_pb2.Anomalies()
    has_environment = _TRAINING in schema.default_environment
    anomalies = tfdv.validate_statistics(
        current,
        schema,
        environment=_TRAINING if has_environment else None,
        previous_statistics=previous,
        serving_statistics=serving,
    )
    _keep_comparisons(anomalies)
    if previous is not None:
        for column in _WATCHED:
            values = vanished_values(current, previous, column)
            if values:
                _add_vanished(anomalies, column, values)
    return anomalies


def _latest(artifacts: list[Artifact], current: Artifact) -> Artifact | None:
    others = [a for a in artifacts if a.uri != current.uri]
    return max(others, key=lambda a: (a.span or 0, a.id), default=None)


def _only(artifacts: list[Artifact]) -> Statistics | None:
    """Statistics of the first split of the first artifact."""
    if not artifacts:
        return None
    return next(iter(load_splits(artifacts[0]).values()))


class DriftValidatorExecutor(base_executor.BaseExecutor):
    """Compares statistics split by split."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes SchemaDiff.pb for each split."""
        self._log_startup(input_dict, output_dict, exec_properties)
        current = artifact_utils.get_single_instance(input_dict[STATISTICS])
        schema = io_utils.SchemaReader().read(
            io_utils.get_only_uri_in_dir(
                artifact_utils.get_single_uri(input_dict[SCHEMA])
            )
        )
        latest = _latest(input_dict.get(PREVIOUS) or [], current)
        previous = load_splits(latest) if latest else {}
        serving = _only(input_dict.get(SERVING) or [])
        output = artifact_utils.get_single_instance(output_dict[ANOMALIES])
        output.split_names = current.split_names
        output.span = current.span
        for split, statistics in load_splits(current).items():
            anomalies = find_drift(
                statistics, schema, previous.get(split), serving
            )
            uri = artifact_utils.get_split_uri([output], split)
            path = os.path.join(uri, ANOMALIES_FILE)
            writer_utils.write_anomalies(path, anomalies)


class DriftValidatorSpec(component_spec.ComponentSpec):
    """Inputs, outputs and properties of `DriftValidator`."""

    PARAMETERS = {
        CODE_FINGERPRINT: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        STATISTICS: component_spec.ChannelParameter(type=ExampleStatistics),
        SCHEMA: component_spec.ChannelParameter(type=Schema),
        PREVIOUS: component_spec.ChannelParameter(
            type=ExampleStatistics, optional=True
        ),
        SERVING: component_spec.ChannelParameter(
            type=ExampleStatistics, optional=True
        ),
    }
    OUTPUTS = {
        ANOMALIES: component_spec.ChannelParameter(type=ExampleAnomalies),
    }


class DriftValidator(base_component.BaseComponent):
    """Compares a span's statistics with the span before and with requests."""

    SPEC_CLASS = DriftValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(DriftValidatorExecutor)

    def __init__(
        self,
        statistics: channel.BaseChannel,
        schema: channel.BaseChannel,
        *,
        previous_statistics: channel.BaseChannel | None = None,
        serving_statistics: channel.BaseChannel | None = None,
    ) -> None:
        """Connects the component.

        Args:
            statistics: of this span.
            schema: with comparators.
            previous_statistics: of earlier spans, the latest counts; may turn
                out to be empty.
            serving_statistics: of requests, columns named as the table's.
        """
        inputs = {
            STATISTICS: statistics,
            SCHEMA: schema,
            PREVIOUS: previous_statistics,
            SERVING: serving_statistics,
        }
        spec = DriftValidatorSpec(
            **{name: c for name, c in inputs.items() if c is not None},
            anomalies=channel.Channel(type=ExampleAnomalies),
            code_fingerprint=source_fingerprint(*_SOURCES),
        )
        super().__init__(spec=spec)
