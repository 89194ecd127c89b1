from __future__ import annotations

import numpy as np
import pyarrow as pa

from trainer.tables.events import Events, check_events
from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review

NOW = 1_700_000_000
ITEMS = ["i0", "i1", "i2"]


def check(**columns: list[str]) -> tuple[Events, Review]:
    arrays = {
        name: pa.array(values, pa.string()) for name, values in columns.items()
    }
    count = len(next(iter(columns.values())))
    review = Review(RawTable("events", arrays, np.arange(1, count + 1)))
    return check_events(review, ITEMS, NOW), review


def names(review: Review) -> list[tuple[str, tuple[int, ...]]]:
    return [
        (a.name, a.first_rows)
        for a in review.anomalies
        if a.severity == "reject"
    ]


def test_events_keep_the_order_of_the_file_and_code_their_names():
    events, review = check(
        user_id=["v", "u", "v"],
        item_id=["i2", "i0", "i2"],
        timestamp=["30", "10.9", "20"],
        event_type=["cart", "", "cart"],
        scenario=["home", "", "deals"],
        rating=["", "4", "5"],
        position=["1", "", "3"],
        split=["train", "dev", "test"],
    )
    assert events.user_ids == ["v", "u"]
    assert events.user.tolist() == [0, 1, 0]
    assert events.item.tolist() == [2, 0, 2]
    assert events.timestamp.tolist() == [30, 10, 20]
    assert events.position.tolist() == [1, 0, 3]
    assert events.event_types == ["cart", "click"]
    assert events.event_type.tolist() == [0, 1, 0]
    assert events.scenarios == ["home", "", "deals"]
    assert events.scenario.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(events.rating, [np.nan, 4, 5])
    assert events.split.tolist() == ["train", "validation", "test"]
    assert names(review) == []


def test_columns_that_are_absent_have_their_defaults():
    events, _ = check(user_id=["u"], item_id=["i1"], timestamp=["5"])
    assert events.position.tolist() == [0]
    assert events.event_types == ["click"]
    assert events.scenarios == [""]
    assert events.scenario.tolist() == [0]
    assert events.rating is None
    assert events.split is None


def test_arrays_have_the_types_of_the_contract():
    events, _ = check(
        user_id=["u"], item_id=["i1"], timestamp=["5"], rating=["1"],
        split=["test"],
    )
    dtypes = {
        name: getattr(events, name).dtype
        for name in (
            "user", "item", "timestamp", "position", "event_type", "scenario",
            "rating", "split",
        )
    }
    assert dtypes == {
        "user": np.int32, "item": np.int32, "timestamp": np.int64,
        "position": np.int64, "event_type": np.int32, "scenario": np.int32,
        "rating": np.float32, "split": object,
    }


def test_an_event_is_no_duplicate_of_a_rejected_one():
    events, review = check(
        user_id=["u", "u"], item_id=["i0", "i0"], timestamp=["5", "5"],
        position=["first", "1"],
    )
    assert events.position.tolist() == [1]
    assert names(review) == [("bad_position", (1,))]


def test_all_columns_leave_the_same_rows_out():
    events, _ = check(
        user_id=["u", "v", "w"], item_id=["x", "i1", "i2"],
        timestamp=["5", "6", "7"], position=["1", "2", "3"],
        event_type=["view", "cart", "like"], scenario=["a", "b", "c"],
        rating=["1", "2", "3"], split=["train", "test", "dev"],
    )
    assert events.user_ids == ["v", "w"]
    assert events.item.tolist() == [1, 2]
    assert events.timestamp.tolist() == [6, 7]
    assert events.position.tolist() == [2, 3]
    assert events.event_types == ["cart", "like"]
    assert events.scenarios == ["b", "c"]
    assert events.rating.tolist() == [2, 3]
    assert events.split.tolist() == ["test", "validation"]


def test_names_of_rejected_rows_are_not_in_the_vocabularies():
    events, _ = check(
        user_id=["gone", "u"], item_id=["x", "i1"], timestamp=["5", "5"],
        event_type=["view", "cart"], scenario=["a", "b"],
    )
    assert events.user_ids == ["u"]
    assert events.user.tolist() == [0]
    assert events.event_types == ["cart"]
    assert events.scenarios == ["b"]


def test_the_same_event_twice_is_a_duplicate():
    events, review = check(
        user_id=["u", "v", "u"], item_id=["i0"] * 3, timestamp=["5"] * 3
    )
    assert events.user.tolist() == [0, 1]
    assert names(review) == [("duplicate_event", (3,))]


def test_position_does_not_make_an_event_another_one():
    _, review = check(
        user_id=["u", "u"], item_id=["i0", "i0"], timestamp=["5", "5"],
        position=["1", "2"],
    )
    assert names(review) == [("duplicate_event", (2,))]


def test_ratings_are_compared_as_numbers():
    _, review = check(
        user_id=["u"] * 5, item_id=["i0"] * 5, timestamp=["5"] * 5,
        rating=["4", "4.0", " 4e0", "", "4.5"],
    )
    assert names(review) == [("duplicate_event", (2, 3))]


def test_events_without_a_rating_are_duplicates_of_each_other():
    _, review = check(
        user_id=["u", "u"], item_id=["i0", "i0"], timestamp=["5", "5"],
        rating=["", " "],
    )
    assert names(review) == [("duplicate_event", (2,))]


def test_events_that_differ_in_one_column_are_no_duplicates():
    row = {
        "user_id": "u", "item_id": "i0", "timestamp": "5",
        "event_type": "view", "scenario": "a", "rating": "1", "text": "t",
        "split": "train",
    }
    others = {
        "user_id": "v", "item_id": "i1", "timestamp": "6",
        "event_type": "cart", "scenario": "b", "rating": "2", "text": "s",
        "split": "test",
    }
    rows = [row, *({**row, name: value} for name, value in others.items())]
    events, review = check(
        **{name: [each[name] for each in rows] for name in row}
    )
    assert len(events.user) == 9
    assert names(review) == []


def test_events_within_one_second_are_no_duplicates():
    events, review = check(
        user_id=["u", "u"], item_id=["i0", "i0"], timestamp=["5.1", "5.9"]
    )
    assert events.timestamp.tolist() == [5, 5]
    assert names(review) == []


def test_rejected_rows_are_not_called_duplicates():
    _, review = check(
        user_id=["u", "u", "u"], item_id=["x", "x", "i0"],
        timestamp=["5", "5", "soon"],
    )
    assert names(review) == [
        ("unparsable_timestamp", (3,)), ("unknown_item", (1, 2)),
    ]


def test_missing_ids_of_users_and_items_are_told_apart():
    _, review = check(
        user_id=["", "u", "u"], item_id=["i0", " ", "i1"], timestamp=["5"] * 3
    )
    assert [(a.name, a.column) for a in review.anomalies[:2]] == [
        ("missing_id", "user_id"), ("missing_id", "item_id"),
    ]


def test_users_with_one_event_are_kept_and_noted():
    events, review = check(
        user_id=["u", "v", "u", "w"], item_id=["i0", "i0", "i1", "x"],
        timestamp=["5"] * 4,
    )
    assert events.user_ids == ["u", "v"]
    (note,) = [a for a in review.anomalies if a.severity == "note"]
    assert (note.name, note.first_rows) == ("single_event_user", (2,))


def test_a_user_has_one_event_left_when_the_others_are_rejected():
    _, review = check(
        user_id=["u", "u"], item_id=["i0", "i1"], timestamp=["5", "soon"]
    )
    assert review.anomalies[-1].name == "single_event_user"
    assert review.anomalies[-1].first_rows == (1,)


def test_no_rows_are_no_events():
    events, review = check(user_id=[], item_id=[], timestamp=[])
    assert events.user_ids == []
    assert len(events.user) == 0
    assert review.anomalies == []
