"""Arrow tables as Parquet parts of TFX: every column a list of one value.

StatisticsGen reads Parquet by columns only if they are lists, as the values
of a tf.Example are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.table_batches import EXTRA_COLUMNS, column_types
from trainer.tables.raw_table import joined


def with_columns(batch: pa.Table, names: list[str], table: str) -> pa.Table:
    """The columns of these names, null throughout where there is none.

    Args:
        batch: of `to_arrow`.
        names: of the table's columns; EXTRA_COLUMNS come by themselves.
        table: name of the table.
    """
    kinds = column_types(table)
    return pa.table({
        name: batch[name]
        if name in batch.column_names
        else pa.nulls(
            batch.num_rows,
            EXTRA_COLUMNS.get(name, kinds.get(name, pa.string())),
        )
        for name in [*names, *EXTRA_COLUMNS]
    })


def _as_lists(values: pa.Array) -> pa.Array:
    present = values.drop_null()
    is_there = pc.is_valid(values).to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(is_there)]).astype(np.int32)
    # A null offset makes a null list; the last one is only an end.
    mask = np.append(~is_there, False)
    offsets = pa.array(ends, pa.int32(), mask=mask)
    return pa.ListArray.from_arrays(offsets, present)


def as_lists(batch: pa.Table) -> pa.Table:
    """Lists of one value, null lists for nulls: what StatisticsGen can read."""
    names = batch.column_names
    return pa.table({name: _as_lists(joined(batch[name])) for name in names})


def as_values(batch: pa.Table) -> pa.Table:
    """The inverse of `as_lists`."""
    columns = {}
    for name in batch.column_names:
        lists = joined(batch[name])
        is_there = pc.is_valid(lists).to_numpy(zero_copy_only=False)
        places = np.where(is_there, np.cumsum(is_there) - 1, 0)
        indices = pa.array(places, pa.int64(), mask=~is_there)
        columns[name] = lists.flatten().take(indices)
    return pa.table(columns)
