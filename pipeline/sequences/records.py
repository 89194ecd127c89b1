"""Arrow tables as serialized tf.Examples, made by the C++ of tfx_bsl."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from tfx_bsl.coders import example_coder

from trainer.tables.raw_table import joined

_ROWS = 1000  # encoded at a time


def to_examples(table: pa.Table) -> Iterator[bytes]:
    """One tf.Example per row: lists as they are, single values as one.

    Strings become bytes, integers int64, floats float32.
    """
    lists = pa.table(
        {name: _as_list(table[name]) for name in table.column_names}
    )
    for batch in lists.to_batches(max_chunksize=_ROWS):
        yield from example_coder.RecordBatchToExamples(batch)


def _as_list(column: pa.ChunkedArray) -> pa.Array:
    values = joined(column)
    if not pa.types.is_list(values.type):
        offsets = pa.array(np.arange(len(values) + 1), pa.int32())
        values = pa.ListArray.from_arrays(offsets, values)
    if pa.types.is_string(values.type.value_type):
        values = values.cast(pa.list_(pa.binary()))
    return values
