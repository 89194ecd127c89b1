"""Reads CSV and CSV.gz by RFC 4180: quotes, commas and line ends in fields.

All values stay text. A row with too few or too many fields is handed back as
malformed, with its text. So is what stands behind a quote that never closes:
line by line, because one stray quote must not swallow half a file and count
as one bad row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trainer.anomalies import DataError, table_error
from trainer.tables.csv_source import DAMAGE_MARK, REPLACEMENT, CsvSource
from trainer.tables.raw_table import RawTable, empty_texts, stacked

# No row can be longer. Arrow reads up to 32 blocks ahead of us.
_BLOCK_BYTES = 1 << 23


def _header(source: CsvSource) -> list[str]:
    try:
        rows = csv.reader(io.StringIO(source.head, newline=""))
        names = next(row for row in rows if row)
    except csv.Error as error:
        remedy = (
            f"{source.label} does not start with a row of column names: "
            f"{error}."
        )
        raise DataError([
            table_error("unreadable_file", source.table, remedy)
        ]) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError([
            table_error(
                "duplicate_column", source.table, f"{source.label} has more "
                "than one column of this name; remove or rename one.",
                column=name,
            )
            for name in twice
        ])
    return names


def _parsed(
    source: CsvSource, header: list[str], bad: dict[int, str]
) -> Iterator[pa.RecordBatch]:
    """Blocks of rows that fit; `bad` gets place and text of the others."""

    def set_aside(row: pa.csv.InvalidRow) -> str:
        bad[row.number - 1] = row.text  # the header is row 1 there
        return "skip"

    try:
        yield from pa.csv.open_csv(
            source,
            # Without threads, because only then do bad rows have numbers.
            pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            pa.csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=set_aside
            ),
            pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in header}
            ),
        )
    except pa.ArrowInvalid as error:
        remedy = f"{source.label} is no readable CSV: {error}."
        if "straddling" in str(error):
            remedy = (
                f"{source.label} has a row of more than {_BLOCK_BYTES:,} "
                "bytes; look for a quote that is never closed."
            )
        raise DataError([
            table_error("unreadable_file", source.table, remedy)
        ]) from error


class _Numbers:
    """Numbers rows as they come; each line of a bad row is one of its own.

    Attributes:
        bad: place -> text of bad rows. Places count good and bad rows from 1.
    """

    def __init__(self) -> None:
        self.bad: dict[int, str] = {}
        self._places = 0  # of rows that have their numbers
        self._rows = 0  # numbers given

    def open_row(self, num_good: int, text: str) -> None:
        """Adds a last row, bad, behind so many good ones."""
        self.bad[self._places + num_good + len(self.bad) + 1] = text

    def ends_bad(self, num_good: int) -> bool:
        """Whether a bad row comes after so many good ones."""
        return max(self.bad, default=0) > self._places + num_good + len(
            self.bad
        ) - 1

    def take(
        self, num_good: int, *, is_last: bool = False
    ) -> tuple[np.ndarray, list[tuple[int, str]]]:
        """Numbers of the next good rows, and the bad ones before them."""
        places = np.array(sorted(self.bad), np.int64)
        before = places - self._places - 1 - np.arange(len(places))
        count = len(places) if is_last else int((before < num_good).sum())
        taken = [self.bad.pop(int(place)) for place in places[:count]]
        lines = [text.rstrip("\r\n").split("\n") for text in taken]
        extra = np.cumsum([0, *map(len, lines)])
        good = np.arange(1, num_good + 1)
        shifts = extra[np.searchsorted(before[:count], good, side="left")]
        malformed = [
            (self._rows + int(before[row] + extra[row]) + place, line)
            for row, parts in enumerate(lines)
            for place, line in enumerate(parts, 1)
        ]
        numbers = self._rows + good + shifts
        self._rows += num_good + int(extra[-1])
        self._places += num_good + count
        return numbers, malformed


def _unclosed_tail(source: CsvSource, rows: pa.RecordBatch) -> str | None:
    """The text of the last row if the quote of its last field never closes.

    Such a field holds the end of the file, final line end included; in a
    field that closes, a quote comes after it.
    """
    if not rows.num_rows:
        return None
    last = [values[-1].as_py() for values in rows.columns]
    if not last[-1].endswith("\n") or source.last_line == b'"':
        return None
    return ",".join([*last[:-1], f'"{last[-1]}'])


def _table(
    source: CsvSource, rows: pa.RecordBatch, numbers: np.ndarray,
    malformed: list[tuple[int, str]],
) -> RawTable:
    names = [n.replace(DAMAGE_MARK, REPLACEMENT) for n in rows.schema.names]
    columns = dict(zip(names, rows.columns, strict=True))
    if not source.has_damage:
        return RawTable(source.table, columns, numbers, malformed)
    masks = {
        name: pc.match_substring(texts, DAMAGE_MARK)
        for name, texts in columns.items()
    }
    mended = {
        name: pc.replace_substring(texts, DAMAGE_MARK, REPLACEMENT)
        for name, texts in columns.items()
    }
    damaged = {
        name: mask.to_numpy(zero_copy_only=False)
        for name, mask in masks.items()
    }
    malformed = [
        (row, text.replace(DAMAGE_MARK, REPLACEMENT)) for row, text in malformed
    ]
    return RawTable(source.table, mended, numbers, malformed, damaged)


def csv_header(file: BinaryIO, label: str, table: str) -> list[str]:
    """Column names of a file, open at its start.

    Raises:
        DataError: as `csv_tables`, but for what is in the rows.
    """
    names = _header(CsvSource(file, label, table))
    return [name.replace(DAMAGE_MARK, REPLACEMENT) for name in names]


def csv_tables(file: BinaryIO, label: str, table: str) -> Iterator[RawTable]:
    """Reads one file in blocks of rows, numbered from 1; one block at least.

    Args:
        file: open, at its start; gzip is told by its first bytes.
        label: of the file, for messages.
        table: name of the table, for messages.

    Raises:
        DataError: if it is empty, truncated, UTF-16, has a column name twice,
            or is no CSV.
    """
    source = CsvSource(file, label, table)
    header = _header(source)
    numbers = _Numbers()
    held = pa.RecordBatch.from_arrays([empty_texts(0)] * len(header), header)
    for rows in _parsed(source, header, numbers.bad):
        if held.num_rows:
            yield _table(source, held, *numbers.take(held.num_rows))
        held = rows
    num_good = held.num_rows
    tail = _unclosed_tail(source, held)
    if tail is not None and not numbers.ends_bad(num_good):
        num_good -= 1
        numbers.open_row(num_good, tail)
    taken = numbers.take(num_good, is_last=True)
    yield _table(source, held.slice(0, num_good), *taken)


def read_csv(path: Path, table: str) -> RawTable:
    """Reads one file, compressed or not, wholly.

    Raises:
        DataError: as `csv_tables`.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        remedy = f"{path} cannot be read: {error.strerror or error}."
        raise DataError([
            table_error("unreadable_file", table, remedy)
        ]) from error
    with file:
        return stacked(list(csv_tables(file, str(path), table)))
