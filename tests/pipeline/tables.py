"""Artifacts of tables, made by the components' executors on files."""

from __future__ import annotations

import json
from pathlib import Path

from google.protobuf import text_format
from tfx.components.example_validator import executor as validator_executor
from tfx.components.statistics_gen import executor as statistics_executor
from tfx.types import standard_artifacts
from tfx.types.standard_component_specs import (
    CUSTOM_CONFIG_KEY,
    EXAMPLES_KEY,
    INPUT_BASE_KEY,
    INPUT_CONFIG_KEY,
)

import schema
from pipeline.artifacts import DataReview
from pipeline.data_gate import DataGateExecutor
from pipeline.drift_validator import DriftValidatorExecutor
from pipeline.example_gen import TableExampleGen, TableExampleGenExecutor
from pipeline.statistics import stats_options


def ingest(folder: Path, pattern: str, table: str, uri: Path):
    """The Examples artifact of files below a folder."""
    component = TableExampleGen(
        table, input_base=str(folder), pattern=pattern
    )
    properties = {
        key: component.exec_properties[key]
        for key in (CUSTOM_CONFIG_KEY, INPUT_CONFIG_KEY, INPUT_BASE_KEY)
    }
    artifact = standard_artifacts.Examples()
    artifact.uri = str(uri)
    TableExampleGenExecutor().Do({}, {EXAMPLES_KEY: [artifact]}, properties)
    return artifact



def statistics_of(examples, uri: Path):
    """StatisticsGen's artifact."""
    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri = str(uri)
    statistics_executor.Executor().Do(
        {"examples": [examples]},
        {"statistics": [artifact]},
        {"stats_options_json": stats_options().to_json()},
    )
    return artifact


def schema_of(table: str, folder: Path):
    """ImportSchemaGen's artifact of the curated schema."""
    artifact = standard_artifacts.Schema()
    artifact.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = text_format.MessageToString(schema.load(table))
    (folder / "schema.pbtxt").write_text(text)
    return artifact


def validated(statistics, table: str, folder: Path):
    """ExampleValidator's anomalies."""
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri = str(folder / "anomalies")
    validator_executor.Executor().Do(
        {
            "statistics": [statistics],
            "schema": [schema_of(table, folder / "schema")],
        },
        {"anomalies": [artifact]},
        {},
    )
    return artifact


def compared(statistics, table: str, folder: Path, **others):
    """DriftValidator's anomalies; others are lists of statistics."""
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri = str(folder / "drift")
    DriftValidatorExecutor().Do(
        {
            "statistics": [statistics],
            "schema": [schema_of(table, folder / "schema")],
            **others,
        },
        {"anomalies": [artifact]},
        {},
    )
    return artifact


def gated(inputs, folder: Path, *, allow_drift: bool = False):
    """What the gate wrote; its DataError where it is closed."""
    artifact = DataReview()
    artifact.uri = str(folder / "review")
    DataGateExecutor().Do(
        {name: [artifact] for name, artifact in inputs.items()},
        {"review": [artifact]},
        {"allow_drift": int(allow_drift)},
    )
    text = (folder / "review" / "review.json").read_text()
    return json.loads(text)["anomalies"]
