from __future__ import annotations

import numpy as np
import pyarrow as pa

from trainer.tables.raw_table import RawTable, concatenate, empty_texts, joined


def make_table(columns, numbers, **options) -> RawTable:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    return RawTable("events", arrays, np.array(numbers), **options)


def test_an_absent_column_is_empty_text():
    table = make_table({"a": ["x", "y"]}, [1, 2])
    assert table.column("b").to_pylist() == ["", ""]


def test_empty_texts_are_strings():
    assert empty_texts(0).type == pa.string()


def test_chunks_are_joined_in_order():
    chunks = pa.chunked_array([["a"], ["b", "c"]])
    assert joined(chunks).to_pylist() == ["a", "b", "c"]


def test_no_chunks_are_joined_to_an_empty_array():
    assert joined(pa.chunked_array([], pa.string())).to_pylist() == []


def test_rows_of_parts_are_numbered_on_malformed_ones_included():
    first = make_table({"a": ["x", "y"]}, [1, 3], malformed=[(2, "bad")])
    second = make_table({"a": ["z"]}, [2], malformed=[(1, "worse")])
    both = concatenate([first, second])
    assert both.row_numbers.tolist() == [1, 3, 5]
    assert both.malformed == [(2, "bad"), (4, "worse")]
    assert both.rows_read == 5


def test_columns_that_a_part_lacks_are_empty_there():
    both = concatenate(
        [make_table({"a": ["x"]}, [1]), make_table({"b": ["y"]}, [1])]
    )
    assert both.columns["a"].to_pylist() == ["x", ""]
    assert both.columns["b"].to_pylist() == ["", "y"]


def test_damage_of_one_part_stays_at_its_rows():
    damaged = {"a": np.array([True])}
    both = concatenate(
        [
            make_table({"a": ["x", "y"]}, [1, 2]),
            make_table({"a": ["\ufffd"]}, [1], damaged=damaged),
        ]
    )
    assert both.damaged["a"].tolist() == [False, False, True]
