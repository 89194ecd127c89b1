"""Reads CSV and CSV.gz by RFC 4180: quotes, commas and line ends in fields.

All values stay text. A row with too few or too many fields is handed back as
malformed, with its text. So is what stands behind a quote that never closes:
line by line, because one stray quote must not swallow half a file and count
as one bad row.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from trainer.anomalies import DataError, table_error
from trainer.tables.raw_table import RawTable, joined

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 26  # no row can be longer
_HEADER_BYTES = 1 << 20  # no header can be longer
_DECODED_BYTES = 1 << 24  # checked at a time
_REPLACEMENT = "\ufffd"


def _decompress(data: bytes, path: Path, table: str) -> bytes:
    try:
        return gzip.decompress(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError([
            table_error(
                "truncated_gzip", table, f"{path} cannot be decompressed to "
                f"its end ({error}); copy or export it again.",
            )
        ]) from error


def _read_bytes(path: Path, table: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError([
            table_error(
                "unreadable_file", table, f"{path} cannot be read: "
                f"{error.strerror or error}."
            )
        ]) from error
    if data.startswith(_GZIP_MAGIC):
        data = _decompress(data, path, table)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise DataError([
            table_error(
                "empty_file", table, f"{path} is empty; a table starts with "
                "a row of column names."
            )
        ])
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError([
            table_error(
                "wrong_encoding", table, f"{path} is UTF-16; save it as UTF-8."
            )
        ])
    return data if data.endswith((b"\n", b"\r")) else data + b"\n"


def _is_utf8(data: bytes) -> bool:
    # The last byte is a line end, so no character can be left open there.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _DECODED_BYTES):
            decoder.decode(data[start : start + _DECODED_BYTES])
    except UnicodeDecodeError:
        return False
    return True


def _header(data: bytes, path: Path, table: str) -> list[str]:
    text = data[:_HEADER_BYTES].decode("utf-8", "replace")
    try:
        rows = csv.reader(io.StringIO(text, newline=""))
        names = next(row for row in rows if row)
    except csv.Error as error:
        raise DataError([
            table_error(
                "unreadable_file", table, f"{path} does not start with a row "
                f"of column names: {error}.",
            )
        ]) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError([
            table_error(
                "duplicate_column", table, f"{path} has more than one column "
                f"of this name; remove or rename one.", column=name,
            )
            for name in twice
        ])
    return names


def _parse(
    data: bytes, header: list[str], path: Path, table: str
) -> tuple[pa.Table, dict[int, str]]:
    """The rows that fit, and the number and text of those that do not."""
    bad: dict[int, str] = {}

    def set_aside(row: pa.csv.InvalidRow) -> str:
        bad[row.number - 1] = row.text  # the header is row 1 there
        return "skip"

    try:
        rows = pa.csv.read_csv(
            pa.BufferReader(data),
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
        raise DataError([
            table_error(
                "unreadable_file", table, f"{path} is no readable CSV: {error}."
            )
        ]) from error
    return rows, bad


def _unclosed_tail(data: bytes, columns: dict[str, pa.Array]) -> str | None:
    """The text of the last row if the quote of its last field never closes.

    Such a field holds the end of the file, final line end included; in a
    field that closes, a quote comes after it.
    """
    last = [values[-1].as_py() for values in columns.values() if len(values)]
    last_line = data[data[:-1].rfind(b"\n") + 1 :].strip(b"\r\n")
    if not last or not last[-1].endswith("\n") or last_line == b'"':
        return None
    return ",".join([*last[:-1], f'"{last[-1]}'])


def _number_rows(
    num_rows: int, bad: dict[int, str]
) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Numbers of the good rows; each line of a bad row as a row of its own."""
    lines = {
        number: bad[number].rstrip("\r\n").split("\n")
        for number in sorted(bad)
    }
    places = np.array(list(lines), np.int64)
    extra = np.cumsum([0, *(len(parts) - 1 for parts in lines.values())])
    good = np.setdiff1d(np.arange(1, num_rows + len(bad) + 1), places)
    malformed = [
        (place + int(shift) + index, line)
        for (place, parts), shift in zip(lines.items(), extra, strict=False)
        for index, line in enumerate(parts)
    ]
    return good + extra[np.searchsorted(places, good)], malformed


def read_csv(path: Path, table: str) -> RawTable:
    """Reads one file, compressed or not.

    Args:
        path: the file; gzip is told by its first bytes, not by its name.
        table: name of the table, for messages.

    Raises:
        DataError: if it is empty, truncated, not UTF-8 throughout the header,
            has a column name twice, or is no CSV.
    """
    data = _read_bytes(path, table)
    is_utf8 = _is_utf8(data)
    if not is_utf8:
        data = data.decode("utf-8", "replace").encode()
    rows, bad = _parse(data, _header(data, path, table), path, table)
    columns = {name: joined(rows[name]) for name in rows.column_names}
    tail = _unclosed_tail(data, columns)
    if tail is not None:
        bad[rows.num_rows + len(bad)] = tail
        columns = {name: values[:-1] for name, values in columns.items()}
    num_rows = rows.num_rows - (tail is not None)
    row_numbers, malformed = _number_rows(num_rows, bad)
    damaged = {}
    if not is_utf8:
        for name, values in columns.items():
            is_damaged = pc.match_substring(values, _REPLACEMENT)
            damaged[name] = is_damaged.to_numpy(zero_copy_only=False)
    return RawTable(table, columns, row_numbers, malformed, damaged)
