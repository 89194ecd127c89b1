"""Collects what checks find in a table, and sets bad rows aside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.anomalies import FIRST_ROWS, Anomaly, Severity
from trainer.tables.raw_table import RawTable

MAX_TEXT_CHARS = 10_000
_QUOTED_CHARS = 40  # of an offending value, in a message
_ROW, _ANOMALY, _RAW = "row", "anomaly", "raw"


def _csv_line(values: Iterable[object]) -> str:
    """One line of CSV; the csv module of Python 3.10 refuses zero bytes."""
    return ",".join(_csv_field(str(value)) for value in values) + "\n"


def _csv_field(text: str) -> str:
    if not any(mark in text for mark in ',"\r\n'):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


class Review:
    """The checks of one table, each over all rows.

    A row counts under the first fault that rejects it, so rows read = rows
    kept + rows rejected, always.

    Attributes:
        table: as it was read.
        anomalies: found so far.
        is_kept: [rows] bool, not rejected so far.
    """

    def __init__(self, table: RawTable) -> None:
        self.table = table
        self.anomalies: list[Anomaly] = []
        self.is_kept = np.ones(len(table), bool)
        self._reasons = np.full(len(table), "", object)
        if table.malformed:
            numbers = tuple(number for number, _ in table.malformed)
            self.anomalies.append(
                Anomaly(
                    "malformed_row", table.name, "", len(numbers),
                    numbers[:FIRST_ROWS], "the row has more or fewer fields "
                    "than there are columns, or an open quote; quote fields "
                    "that hold commas, quotes or line ends.",
                )
            )

    @property
    def rows_rejected(self) -> int:
        """Malformed rows and those that a check rejected."""
        return self.table.rows_read - int(self.is_kept.sum())

    def _add(
        self, name: str, column: str, rows: np.ndarray, remedy: str,
        severity: Severity,
    ) -> None:
        numbers = self.table.row_numbers[rows[:FIRST_ROWS]]
        self.anomalies.append(
            Anomaly(
                name, self.table.name, column, len(rows),
                tuple(numbers.tolist()), remedy, severity,
            )
        )

    def _quote_value(self, column: str, row: int) -> str:
        value = self.table.column(column)[int(row)].as_py()
        shown = repr(value[:_QUOTED_CHARS])
        return f"{shown}..." if len(value) > _QUOTED_CHARS else shown

    def reject(
        self, name: str, column: str, is_bad: np.ndarray, remedy: str
    ) -> None:
        """Sets rows aside that are not set aside yet.

        Args:
            name: of the anomaly.
            column: that has the fault, "" for the whole row.
            is_bad: [rows] bool.
            remedy: what to do; the first bad value is put before it.
        """
        rows = np.flatnonzero(is_bad & self.is_kept)
        if len(rows):
            if column:
                remedy = f"got {self._quote_value(column, rows[0])}; {remedy}"
            self._add(name, column, rows, remedy, "reject")
            self._reasons[rows] = name
            self.is_kept[rows] = False

    def note(
        self, name: str, column: str, is_noted: np.ndarray, remedy: str
    ) -> None:
        """Counts rows that are kept, [rows] bool, under a name."""
        rows = np.flatnonzero(is_noted & self.is_kept)
        if len(rows):
            self._add(name, column, rows, remedy, "note")

    def kept(self, values: pa.Array) -> pa.Array:
        """The values of the rows that are kept so far."""
        return values.filter(pa.array(self.is_kept))

    def require_id(self, column: str) -> None:
        """Rejects rows whose id is empty or blank."""
        texts = pc.utf8_trim_whitespace(self.table.column(column))
        is_empty = pc.equal(texts, "").to_numpy(zero_copy_only=False)
        self.reject("missing_id", column, is_empty, f"fill in {column}.")

    def text(self, column: str) -> pa.Array:
        """[rows] a column's texts, cut where they are too long to be text."""
        texts = self.table.column(column)
        damaged = self.table.damaged.get(column)
        if damaged is not None:
            self.note(
                "invalid_utf8", column, damaged, "bytes that are no UTF-8 were "
                "replaced by U+FFFD; export the table as UTF-8.",
            )
        is_long = pc.greater(pc.utf8_length(texts), MAX_TEXT_CHARS)
        if not pc.any(is_long).as_py():
            return texts
        self.note(
            "long_text", column, is_long.to_numpy(zero_copy_only=False),
            f"only the first {MAX_TEXT_CHARS:,} characters are read.",
        )
        return pc.utf8_slice_codeunits(texts, 0, MAX_TEXT_CHARS)

    def write_rejects(self, folder: Path) -> Path | None:
        """Writes TABLE.csv of rejected rows, in order; None if there are none.

        Columns: row, anomaly, those of the table, and raw: the text of a
        malformed row. A file that an earlier run left is removed.

        Raises:
            OSError: if it cannot be written.
        """
        path = folder / f"{self.table.name}.csv"
        if not self.rows_rejected:
            path.unlink(missing_ok=True)
            return None
        names = list(self.table.columns)
        rows = np.flatnonzero(~self.is_kept)
        values = [
            self.table.columns[name].take(pa.array(rows)).to_pylist()
            for name in names
        ]
        numbers = self.table.row_numbers[rows].tolist()
        lines: dict[int, list[object]] = {
            line[0]: [*line, ""]
            for line in zip(numbers, self._reasons[rows], *values, strict=True)
        }
        blank = [""] * len(names)
        for number, text in self.table.malformed:
            lines[number] = [number, "malformed_row", *blank, text]
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(_csv_line([_ROW, _ANOMALY, *names, _RAW]))
            file.writelines(_csv_line(lines[row]) for row in sorted(lines))
        return path
