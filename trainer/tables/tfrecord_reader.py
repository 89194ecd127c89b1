"""Reads TFRecord files of tf.train.Example, compressed or not."""

from __future__ import annotations

import collections
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from schema import features
from trainer.anomalies import DataError, table_error
from trainer.tables.arrow_reader import raw_table
from trainer.tables.raw_table import RawTable

_GZIP_MAGIC = b"\x1f\x8b"
_CHECKED_BYTES = 1 << 20  # of a compressed file, at a time
_BATCH = 4096
_TYPES = {
    "bytes_list": pa.binary(),
    "int64_list": pa.int64(),
    "float_list": pa.float32(),
}


def _error(name: str, table: str, remedy: str, column: str = "") -> DataError:
    return DataError([table_error(name, table, remedy, column=column)])


def _check_gzip(file: BinaryIO, label: str, table: str) -> None:
    try:
        with gzip.GzipFile(fileobj=file) as content:
            while content.read(_CHECKED_BYTES):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _error(
            "truncated_gzip", table, f"{label} cannot be decompressed to its "
            f"end ({error}); copy or export it again.",
        ) from error


def compression_of(file: BinaryIO, label: str, table: str) -> str:
    """GZIP or nothing; a compressed file is read to its end.

    TensorFlow takes a truncated file for a short one.

    Args:
        file: open, at its start.
        label: of the file, for messages.
        table: name of the table, for messages.

    Raises:
        DataError: empty_file or truncated_gzip.
    """
    start = file.read(len(_GZIP_MAGIC))
    if not start:
        remedy = f"{label} is empty; export it again."
        raise _error("empty_file", table, remedy)
    if start != _GZIP_MAGIC:
        return ""
    file.seek(0)
    _check_gzip(file, label, table)
    return "GZIP"


def _compression(path: Path, table: str) -> str:
    try:
        with path.open("rb") as file:
            return compression_of(file, str(path), table)
    except OSError as error:
        remedy = f"{path} cannot be read: {error.strerror or error}."
        raise _error("unreadable_file", table, remedy) from error


def _records(path: Path, table: str) -> Iterator[bytes]:
    compression = _compression(path, table)
    import tensorflow as tf

    records = tf.data.TFRecordDataset(str(path), compression).batch(_BATCH)
    try:
        for batch in records.as_numpy_iterator():
            yield from batch
    except tf.errors.OpError as error:
        raise _error(
            "unreadable_file", table, f"{path} cannot be read to its end as "
            f"TFRecord ({error.message}); copy or export it again.",
        ) from error


def _wrong_type(table: str, name: str, path: Path, found: str) -> DataError:
    remedy = (
        f"{found} in {path}; write one value per example, of one type "
        "throughout."
    )
    return _error("wrong_type", table, remedy, name)


class _Columns:
    """Values of each feature, row by row."""

    def __init__(self, table: str, path: Path) -> None:
        self.table, self.path = table, path
        self.values: dict[str, list[Any]] = collections.defaultdict(list)
        self.kinds: dict[str, str] = {}
        self.num_rows = 0

    def _add_value(self, name: str, feature: Any) -> None:
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value if kind else ()
        if not values:
            return
        known_kind = self.kinds.setdefault(name, kind)
        if name not in features.COLUMNS[self.table] and (
            len(values) > 1 or kind != known_kind
        ):
            return
        if len(values) > 1:
            found = f"{len(values)} values in one example"
            raise _wrong_type(self.table, name, self.path, found)
        if kind != known_kind:
            found = f"both {known_kind} and {kind}"
            raise _wrong_type(self.table, name, self.path, found)
        column = self.values[name]
        column.extend([None] * (self.num_rows - len(column)))
        column.append(values[0])

    def add(self, example: Any) -> None:
        for name, feature in example.features.feature.items():
            self._add_value(name, feature)
        self.num_rows += 1

    def table_of_columns(self) -> pa.Table:
        return pa.table({
            name: pa.array(
                self.values[name]
                + [None] * (self.num_rows - len(self.values[name])),
                _TYPES[kind],
            )
            for name, kind in sorted(self.kinds.items())
        })


def read_tfrecord(path: Path, table: str) -> RawTable:
    """Reads one file; a record that is no Example is a malformed row.

    Raises:
        DataError: if it is empty or truncated, or if a feature of the
            contract has several values or types.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    columns = _Columns(table, path)
    malformed: list[tuple[int, str]] = []
    good_numbers = []
    for number, record in enumerate(_records(path, table), 1):
        try:
            example = tf.train.Example.FromString(record)
        except DecodeError:
            malformed.append((number, repr(record)))
            continue
        columns.add(example)
        good_numbers.append(number)
    rows = columns.table_of_columns()
    raw = raw_table(rows, path, table)
    return RawTable(
        table,
        raw.columns,
        np.array(good_numbers, np.int64),
        malformed,
        raw.damaged,
    )
