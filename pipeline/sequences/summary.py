"""What the checks of all shards found, added up."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from trainer.anomalies import FIRST_ROWS, Anomaly, Severity
from trainer.tables.review import Review


@dataclasses.dataclass(frozen=True)
class TableSummary:
    """Rows and anomalies of a table, or of one shard of it.

    Attributes:
        table: its name.
        rows_read: malformed ones included.
        rows_kept: that passed every check.
        rows_rejected: set aside and written to the rejects.
        anomalies: found, one per name and column.
    """

    table: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    anomalies: tuple[Anomaly, ...]


def summary_of(review: Review) -> TableSummary:
    """The summary of one finished review."""
    return TableSummary(
        review.table.name,
        review.table.rows_read,
        int(review.is_kept.sum()),
        review.rows_rejected,
        tuple(review.anomalies),
    )


def merge(parts: Iterable[TableSummary]) -> TableSummary:
    """Adds up the summaries of one table's shards; there is at least one."""
    parts = list(parts)
    found: dict[tuple[str, str, Severity], Anomaly] = {}
    for part in parts:
        for anomaly in part.anomalies:
            key = (anomaly.name, anomaly.column, anomaly.severity)
            known = found.get(key)
            found[key] = _merge_anomalies(known, anomaly) if known else anomaly
    return TableSummary(
        parts[0].table,
        sum(part.rows_read for part in parts),
        sum(part.rows_kept for part in parts),
        sum(part.rows_rejected for part in parts),
        tuple(found[key] for key in sorted(found)),
    )


def _merge_anomalies(one: Anomaly, other: Anomaly) -> Anomaly:
    """The remedy is of the one whose first row comes first."""
    first, _ = sorted((one, other), key=lambda a: (a.first_rows, a.remedy))
    rows = sorted((*one.first_rows, *other.first_rows))[:FIRST_ROWS]
    return dataclasses.replace(
        first, rows=one.rows + other.rows, first_rows=tuple(rows)
    )


class MergeSummaries(beam.CombineFn):
    """(table, summaries) -> one summary, for `CombinePerKey`."""

    def create_accumulator(self) -> list[TableSummary]:
        return []

    def add_input(
        self, parts: list[TableSummary], part: TableSummary
    ) -> list[TableSummary]:
        return [merge([*parts, part])]

    def merge_accumulators(
        self, accumulators: Iterable[list[TableSummary]]
    ) -> list[TableSummary]:
        parts = [part for some in accumulators for part in some]
        return [merge(parts)] if parts else []

    def extract_output(self, parts: list[TableSummary]) -> TableSummary:
        return merge(parts)


def write_json(content: Any, path: str) -> str:
    """Writes a small JSON file. Returns its path."""
    with FileSystems.create(path) as file:
        file.write((json.dumps(content, indent=1) + "\n").encode())
    return path


def read_json(path: str) -> Any:
    """Reads a small JSON file."""
    with FileSystems.open(path) as file:
        return json.loads(file.read().decode())


def to_json(summary: TableSummary) -> dict[str, Any]:
    """As `write_json` takes it."""
    return dataclasses.asdict(summary)


def from_json(content: dict[str, Any]) -> TableSummary:
    """The inverse of `to_json`."""
    anomalies = tuple(
        Anomaly(**{**anomaly, "first_rows": tuple(anomaly["first_rows"])})
        for anomaly in content["anomalies"]
    )
    return TableSummary(**{**content, "anomalies": anomalies})
