from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from trainer.tables.items import Items, check_items, split_categories
from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review


def check(**columns: list[str]) -> tuple[Items, Review]:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    count = len(next(iter(columns.values())))
    review = Review(RawTable("items", arrays, np.arange(1, count + 1)))
    return check_items(review), review


def found(review: Review) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(a.name, a.severity, a.first_rows) for a in review.anomalies]


def test_good_items_stay_in_order_with_their_text_columns():
    items, review = check(
        item_id=["b", "a"], title=["B", "A"], price=["1", "2"], brand=["", "x"]
    )
    assert items == Items(["b", "a"], {"title": ["B", "A"], "brand": ["", "x"]})
    assert review.anomalies == []


def test_the_same_row_twice_is_a_duplicate():
    items, review = check(item_id=["a", "b", "a"], title=["A", "B", "A"])
    assert items.ids == ["a", "b"]
    assert found(review) == [("duplicate_item", "reject", (3,))]


def test_the_same_id_with_other_text_is_a_conflict_and_the_first_stays():
    items, review = check(item_id=["a", "b", "a"], title=["A", "B", "C"])
    assert items == Items(["a", "b"], {"title": ["A", "B"]})
    assert found(review) == [("conflicting_item", "reject", (3,))]


def test_the_same_text_under_another_id_is_another_item():
    items, review = check(item_id=["a", "b"], title=["A", "A"])
    assert items.ids == ["a", "b"]
    assert review.anomalies == []


def test_rows_without_id_do_not_repeat_each_other():
    _, review = check(item_id=["", "", "a"], title=["A", "A", "A"])
    assert found(review) == [("missing_id", "reject", (1, 2))]


def test_an_item_without_any_text_is_kept_and_noted():
    items, review = check(
        item_id=["a", "b", "c"], title=["A", " ", ""], brand=["", "", "x"]
    )
    assert items.ids == ["a", "b", "c"]
    assert found(review) == [("item_without_text", "note", (2,))]


@pytest.mark.parametrize("title", ["🎁🎉👍🏽", "\x00\x07\x1b", "…", "书"])
def test_odd_text_is_kept_as_it_is(title):
    items, review = check(item_id=["a"], title=[title])
    assert items.columns["title"] == [title]
    assert review.anomalies == []


def test_a_text_of_a_megabyte_is_cut_and_noted():
    items, review = check(item_id=["a"], title=["x" * 1_000_000])
    assert items.columns["title"] == ["x" * 10_000]
    assert found(review) == [("long_text", "note", (1,))]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a > b > c | d", [["a", "b", "c"], ["d"]]),
        ("a>b|c", [["a", "b"], ["c"]]),
        (" | > ", []),
        ("", []),
        ("A & B, C", [["A & B, C"]]),
    ],
)
def test_categories_are_paths_of_levels(text, paths):
    assert split_categories(text) == paths


def test_times_of_availability_are_read_and_doubtful_ones_unknown():
    items, review = check(
        item_id=["a", "b", "c", "d", "e", "e"],
        title=["A"] * 6,
        available_from=["1406073600", "", "2014-07-23", "1.5e9", "-3", "7"],
    )
    assert items.available_from == [1406073600, 0, 0, 1500000000, 0]
    assert items.times == items.available_from
    assert found(review) == [
        ("conflicting_item", "reject", (6,)),
        ("unknown_available_from", "note", (3, 5)),
    ]


def test_without_the_column_every_time_is_unknown():
    items, _ = check(item_id=["a", "b"], title=["A", "B"])
    assert items.available_from == [] and items.times == [0, 0]
