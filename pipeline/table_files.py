"""Reads files of a table on any file system, a block of rows at a time.

The local path reads whole files; blocks read one after the other mean the
same rows, numbers and faults.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.example_tables import example_tables
from schema import features
from trainer.anomalies import DataError, table_error
from trainer.tables.arrow_reader import raw_table
from trainer.tables.csv_reader import csv_header, csv_tables
from trainer.tables.raw_table import RawTable, renumbered
from trainer.tables.tfrecord_reader import compression_of

BLOCK_ROWS = 65_536


def open_bytes(path: str) -> BinaryIO:
    """Opens a file as it stands, whatever its name says of compression."""
    file: BinaryIO = FileSystems.open(
        path, compression_type=CompressionTypes.UNCOMPRESSED
    )
    return file


def _csv_blocks(path: str, table: str) -> Iterator[RawTable]:
    with open_bytes(path) as file:
        yield from csv_tables(file, path, table)


def _csv_columns(path: str, table: str) -> list[str]:
    with open_bytes(path) as file:
        return csv_header(file, path, table)


def _unreadable(path: str, table: str, kind: str, error: object) -> DataError:
    remedy = f"{path} is no readable {kind} file: {error}."
    return DataError([table_error("unreadable_file", table, remedy)])


def _parquet_blocks(path: str, table: str) -> Iterator[RawTable]:
    offset = 0
    try:
        with open_bytes(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(BLOCK_ROWS):
                rows = pa.Table.from_batches([batch])
                yield renumbered(raw_table(rows, path, table), offset)
                offset += rows.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, table, "Parquet", error) from error


def _parquet_columns(path: str, table: str) -> list[str]:
    try:
        with open_bytes(path) as file:
            names: list[str] = pq.ParquetFile(file).schema_arrow.names
            return names
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, table, "Parquet", error) from error


def _avro_column(
    values: list[Any], name: str, path: str, table: str
) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        if name not in features.COLUMNS[table]:
            return pa.nulls(len(values), pa.string())
        remedy = f"{error} ({path}); write values of one type."
        raise DataError([
            table_error("wrong_type", table, remedy, column=name)
        ]) from error


def _avro_rows(
    records: list[dict[str, Any]], path: str, table: str
) -> RawTable:
    names = list(records[0])
    columns = {
        name: _avro_column([r[name] for r in records], name, path, table)
        for name in names
    }
    return raw_table(pa.table(columns), path, table)


def _avro_blocks(path: str, table: str) -> Iterator[RawTable]:
    offset = 0
    records: list[Any] = []
    try:
        with open_bytes(path) as file:
            for record in fastavro.reader(file):
                records.append(record)
                if len(records) == BLOCK_ROWS:
                    yield renumbered(_avro_rows(records, path, table), offset)
                    offset, records = offset + len(records), []
    except (EOFError, OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise _unreadable(path, table, "Avro", error) from error
    if records:
        yield renumbered(_avro_rows(records, path, table), offset)


def _avro_columns(path: str, table: str) -> list[str]:
    try:
        with open_bytes(path) as file:
            schema: Any = fastavro.reader(file).writer_schema
    except (EOFError, OSError, ValueError) as error:
        raise _unreadable(path, table, "Avro", error) from error
    return [field["name"] for field in schema["fields"]]


def _example_blocks(path: str, table: str) -> Iterator[RawTable]:
    with open_bytes(path) as file:
        compression_of(file, path, table)
    yield from example_tables(path, table)


def _example_columns(path: str, table: str) -> list[str]:
    """Of the first block: a file of tf.Examples has no header."""
    first = next(example_tables(path, table), None)
    return list(first.columns) if first else []


_Blocks = Callable[[str, str], Iterator[RawTable]]
_Columns = Callable[[str, str], list[str]]
_FORMATS: dict[str, tuple[_Blocks, _Columns]] = {
    ".csv": (_csv_blocks, _csv_columns),
    ".csv.gz": (_csv_blocks, _csv_columns),
    ".parquet": (_parquet_blocks, _parquet_columns),
    ".tfrecord": (_example_blocks, _example_columns),
    ".tfrecord.gz": (_example_blocks, _example_columns),
    ".avro": (_avro_blocks, _avro_columns),
}
SUFFIXES = tuple(_FORMATS)


def _format(path: str, table: str) -> tuple[_Blocks, _Columns]:
    for suffix, functions in _FORMATS.items():
        if path.endswith(suffix):
            return functions
    remedy = f"{path}: a file's name must end in {', '.join(SUFFIXES)}."
    raise DataError([table_error("unknown_format", table, remedy)])


def read_columns(path: str, table: str) -> list[str]:
    """Names of the columns of a file.

    Raises:
        DataError: if it cannot be read, or has an unknown format.
    """
    return _format(path, table)[1](path, table)


def read_blocks(path: str, table: str) -> Iterator[RawTable]:
    """Rows of a file in order, numbered from 1.

    Raises:
        DataError: if it cannot be read, or has an unknown format.
    """
    return _format(path, table)[0](path, table)


def match_files(patterns: Sequence[str]) -> list[str]:
    """Paths of files by name; `patterns` are globs of any file system."""
    return [
        metadata.path
        for match in FileSystems.match(list(patterns))
        for metadata in sorted(match.metadata_list, key=lambda m: m.path)
    ]


def default_pattern(table: str, data_dir: str) -> str | None:
    """The pattern below a folder that finds a table, as the local path does.

    `events.csv`, else shards `events-*.csv`, else `events/*.csv`, of any
    format; None for an optional table that is absent.

    Raises:
        DataError: missing_table or ambiguous_table.
    """
    for stem in (table, f"{table}-*", f"{table}/*"):
        found = [
            stem + suffix
            for suffix in SUFFIXES
            if match_files([os.path.join(data_dir, stem + suffix)])
        ]
        if len(found) > 1:
            remedy = f"found in several formats: {', '.join(found)}; keep one."
            raise DataError([table_error("ambiguous_table", table, remedy)])
        if found:
            return found[0]
    if table not in features.REQUIRED_TABLES:
        return None
    names = [Path(path).name for path in match_files([f"{data_dir}/*"])][:20]
    remedy = (
        f"no {table}.csv, .csv.gz, .parquet, .tfrecord or .avro in "
        f"{data_dir}, only {', '.join(names) or 'nothing'}."
    )
    raise DataError([table_error("missing_table", table, remedy)])
