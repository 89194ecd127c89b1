"""Artifacts of tables, made by TableExampleGen's executor on files."""

from __future__ import annotations

from pathlib import Path

from tfx.types import standard_artifacts
from tfx.types.standard_component_specs import (
    CUSTOM_CONFIG_KEY,
    EXAMPLES_KEY,
    INPUT_BASE_KEY,
    INPUT_CONFIG_KEY,
)

from pipeline.example_gen import TableExampleGen, TableExampleGenExecutor


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

