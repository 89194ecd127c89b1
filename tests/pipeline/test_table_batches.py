from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.table_batches import EXTRA_COLUMNS, to_arrow, to_raw_table
from trainer.anomalies import DataError
from trainer.tables.raw_table import RawTable

TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=6)


def make_table(columns, name="events", **options) -> RawTable:
    arrays = {key: pa.array(col, pa.string()) for key, col in columns.items()}
    count = len(next(iter(columns.values())))
    numbers = options.pop("numbers", range(1, count + 1))
    return RawTable(name, arrays, np.array(numbers, np.int64), **options)


def texts_of(table: RawTable) -> dict[str, list[str]]:
    return {name: col.to_pylist() for name, col in table.columns.items()}


def test_columns_have_the_types_of_the_contract_and_blanks_are_null():
    batch = to_arrow(
        make_table({
            "user_id": ["007", ""],
            "timestamp": ["1406073600", " "],
            "rating": ["4.5", ""],
            "mood": ["1", "\t"],
        })
    )
    assert batch.drop(list(EXTRA_COLUMNS)).to_pydict() == {
        "user_id": ["007", None],
        "timestamp": [1406073600, None],
        "rating": [4.5, None],
        "mood": ["1", None],
    }
    kinds = [field.type for field in batch.schema]
    assert kinds[:4] == [pa.string(), pa.int64(), pa.float64(), pa.string()]


def test_what_a_type_cannot_hold_is_null_and_keeps_its_text():
    table = make_table({
        "timestamp": ["yesterday", "12"], "position": ["1", "2.0"],
    })
    batch = to_arrow(table)
    assert batch["timestamp"].to_pylist() == [None, 12]
    assert batch["position"].to_pylist() == [1, None]
    assert batch["_unparsed"].to_pylist() == [
        '{"timestamp": "yesterday"}', '{"position": "2.0"}',
    ]
    assert texts_of(to_raw_table(batch, "events")) == texts_of(table)


def test_times_with_fractions_are_floored_and_keep_their_text():
    table = make_table({"timestamp": ["1406073600.5", "1406073600.0"]})
    batch = to_arrow(table)
    assert batch["timestamp"].to_pylist() == [1406073600, 1406073600]
    back = to_raw_table(batch, "events")
    assert texts_of(back)["timestamp"] == ["1406073600.5", "1406073600"]


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "four", "+4"])
def test_a_rating_is_a_finite_number_or_text(text):
    table = make_table({"rating": [text]})
    batch = to_arrow(table)
    assert batch["rating"].to_pylist() == [None]
    assert texts_of(to_raw_table(batch, "events")) == {"rating": [text]}


def test_malformed_rows_stand_in_their_places_and_come_back():
    table = make_table(
        {"user_id": ["a", "b"]}, numbers=[1, 3], malformed=[(2, "x,y")]
    )
    batch = to_arrow(table)
    assert batch["_row"].to_pylist() == [1, 2, 3]
    assert batch["user_id"].to_pylist() == ["a", None, "b"]
    back = to_raw_table(batch, "events")
    assert back.malformed == [(2, "x,y")]
    assert back.row_numbers.tolist() == [1, 3]
    assert texts_of(back) == {"user_id": ["a", "b"]}


def test_damage_comes_back_at_its_rows():
    damaged = {"user_id": np.array([False, True])}
    table = make_table({"user_id": ["a", "\ufffd"]}, damaged=damaged)
    back = to_raw_table(to_arrow(table), "events")
    assert back.damaged["user_id"].tolist() == [False, True]


def test_a_table_of_malformed_rows_only_comes_back():
    table = make_table({"user_id": []}, malformed=[(1, "x,y")])
    back = to_raw_table(to_arrow(table), "events")
    assert (len(back), back.malformed) == (0, [(1, "x,y")])
    assert back.columns["user_id"].type == pa.string()


def test_a_column_of_ours_is_refused():
    with pytest.raises(DataError, match="events._row: reserved_column"):
        to_arrow(make_table({"_row": ["1"]}))


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=5))
def test_any_text_comes_back(rows):
    users, times, ratings = zip(*rows, strict=True) if rows else ((), (), ())
    table = make_table(
        {"user_id": users, "timestamp": times, "mood": ratings}
    )
    back = to_raw_table(to_arrow(table), "events")
    expected, found = texts_of(table), texts_of(back)
    for name in ("user_id", "mood"):
        assert found[name] == expected[name]
    for found_text, text in zip(
        found["timestamp"], expected["timestamp"], strict=True
    ):
        assert found_text == text or float(found_text) == float(text)
