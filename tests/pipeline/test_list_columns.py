from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.list_columns import as_lists, as_values, with_columns
from pipeline.table_batches import EXTRA_COLUMNS, to_arrow
from trainer.tables.raw_table import RawTable


def make_table(users: list[str]) -> RawTable:
    columns = {"user_id": pa.array(users, pa.string())}
    return RawTable("events", columns, np.arange(1, len(users) + 1))


def test_columns_that_are_not_there_are_null_and_typed():
    batch = with_columns(
        to_arrow(make_table(["a"])),
        ["user_id", "rating", "mood"], "events",
    )
    assert batch.column_names == [
        "user_id", "rating", "mood", *EXTRA_COLUMNS,
    ]
    assert batch["rating"].type == pa.float64()
    assert batch["mood"].to_pylist() == [None]


def test_lists_hold_one_value_or_are_null():
    batch = pa.table({
        "a": pa.array([None, "x", None, "y"]),
        "b": pa.array([1, None, 3, None], pa.int64()),
    })
    lists = as_lists(batch)
    assert lists.to_pydict() == {
        "a": [None, ["x"], None, ["y"]], "b": [[1], None, [3], None],
    }
    assert as_values(lists).equals(batch)


def test_no_rows_stay_no_rows():
    batch = to_arrow(make_table([]))
    assert as_values(as_lists(batch)).equals(batch)
