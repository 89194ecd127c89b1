"""Small JSON files: how the driver learns what the workers found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from pipeline.sequences.graph import Outputs
from pipeline.sequences.shards import Spans
from pipeline.sequences.summary import (
    TableSummary,
    from_json,
    read_json,
    to_json,
    write_json,
)


def write_facts(made: Outputs, folder: str) -> None:
    """Adds the writing of summaries and spans to the graph."""
    _ = made.summaries | "WriteSummaries" >> beam.Map(
        _write_summary, folder=folder
    )
    _ = made.spans | "WriteSpans" >> beam.Map(_write_spans, folder=folder)


def read_facts(
    folder: str, tables: Iterable[str]
) -> tuple[list[TableSummary], Spans]:
    """Reads them back, with empty summaries for tables without a row."""
    found = []
    for table in tables:
        path = FileSystems.join(folder, f"{table}.json")
        if FileSystems.exists(path):
            found.append(from_json(read_json(path)))
        else:
            found.append(TableSummary(table, 0, 0, 0, ()))
    spans = read_json(FileSystems.join(folder, "spans.json"))
    return found, Spans(**spans)


def _write_summary(
    found_of: tuple[str, TableSummary], *, folder: str
) -> str:
    table, found = found_of
    path = FileSystems.join(folder, f"{table}.json")
    return write_json(to_json(found), path)


def _write_spans(spans: Spans, *, folder: str) -> str:
    path = FileSystems.join(folder, "spans.json")
    return write_json(dataclasses.asdict(spans), path)
