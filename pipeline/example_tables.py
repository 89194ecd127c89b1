"""Reads TFRecord files of tf.Example as tables, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tfx_bsl.coders import example_coder

from schema import features
from trainer.anomalies import DataError, table_error
from trainer.tables.arrow_reader import raw_table
from trainer.tables.raw_table import RawTable, renumbered

_BATCH = 16_384
_GZIP_MAGIC = b"\x1f\x8b"


def _records(path: str) -> tf.data.Dataset:
    with tf.io.gfile.GFile(path, "rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return tf.data.TFRecordDataset(path, "GZIP" if is_gzip else "")


def count_records(path: str) -> tuple[str, int]:
    """The path, and how many records are there."""
    count = _records(path).reduce(np.int64(0), lambda total, _: total + 1)
    return path, int(count)


def _single_values(
    column: pa.Array, name: str, table: str, path: str
) -> pa.Array | None:
    """Values of lists, null for empty ones; None for a column of nothing."""
    if pa.types.is_null(column.type):
        return None
    sizes = pc.fill_null(pc.list_value_length(column), 0)
    sizes = sizes.to_numpy(zero_copy_only=False)
    if (sizes > 1).any():
        if name not in features.COLUMNS[table]:
            return None
        remedy = (
            f"{sizes.max()} values in one example in {path}; write one value "
            "per example."
        )
        raise DataError([table_error("wrong_type", table, remedy, column=name)])
    places = np.where(sizes > 0, np.cumsum(sizes) - 1, 0)
    indices = pa.array(places, pa.int64(), mask=sizes == 0)
    return column.flatten().take(indices)


def _decode(
    records: Sequence[bytes],
) -> tuple[pa.RecordBatch, np.ndarray, list[tuple[int, str]]]:
    """Columns of lists, the places of their records, and records of no kind."""
    decoder = example_coder.ExamplesToRecordBatchDecoder()
    places = np.arange(1, len(records) + 1)
    malformed: list[tuple[int, str]] = []
    try:
        return decoder.DecodeBatch(records), places, malformed
    except RuntimeError:
        good = []
        for place, record in enumerate(records, 1):
            try:
                tf.train.Example.FromString(record)
                good.append(place)
            except DecodeError:
                malformed.append((place, repr(record)))
        if not malformed:
            raise
    kept = [records[place - 1] for place in good]
    return decoder.DecodeBatch(kept), np.array(good, np.int64), malformed


def examples_table(records: Sequence[bytes], table: str, path: str) -> RawTable:
    """Serialized tf.Examples as a table, numbered from 1.

    Raises:
        DataError: if a column of the contract has several values in a record,
            or a type that it cannot have.
    """
    batch, places, malformed = _decode(records)
    columns = {
        name: values
        for name, lists in zip(batch.schema.names, batch.columns, strict=True)
        if (values := _single_values(lists, name, table, path)) is not None
    }
    raw = raw_table(pa.table(columns), path, table)
    return RawTable(table, raw.columns, places, malformed, raw.damaged)


def example_tables(path: str, table: str) -> Iterator[RawTable]:
    """Blocks of rows of one file, compressed or not, numbered from 1.

    Raises:
        DataError: unreadable_file, and what `examples_table` raises.
    """
    offset = 0
    try:
        for records in _records(path).batch(_BATCH).as_numpy_iterator():
            raw = examples_table(records.tolist(), table, path)
            yield renumbered(raw, offset)
            offset += len(records)
    except tf.errors.OpError as error:
        remedy = (
            f"{path} cannot be read to its end as TFRecord "
            f"({error.message}); copy or export it again."
        )
        raise DataError([
            table_error("unreadable_file", table, remedy)
        ]) from error
