from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from trainer.tables.event_columns import (
    check_event_types,
    check_items,
    check_positions,
    check_ratings,
    check_splits,
    check_timestamps,
)
from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review

NOW = 1_700_000_000


def review_of(**columns: list[str]) -> Review:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    count = len(next(iter(columns.values())))
    return Review(RawTable("events", arrays, np.arange(1, count + 1)))


def rejects(review: Review) -> list[tuple[str, tuple[int, ...]]]:
    return [(a.name, a.first_rows) for a in review.anomalies]


def test_seconds_from_1970_to_now_are_timestamps():
    review = review_of(timestamp=["0", str(NOW), "1406073600.9"])
    assert check_timestamps(review, NOW).tolist() == [0, NOW, 1406073600.9]
    assert review.anomalies == []


@pytest.mark.parametrize("text", ["", "2014-07-23", "nan", "1e999x"])
def test_what_is_no_number_is_an_unparsable_timestamp(text):
    review = review_of(timestamp=["1", text])
    check_timestamps(review, NOW)
    assert rejects(review) == [("unparsable_timestamp", (2,))]


def test_a_moment_before_1970_is_a_negative_timestamp():
    review = review_of(timestamp=["-1", "1"])
    check_timestamps(review, NOW)
    assert rejects(review) == [("negative_timestamp", (1,))]


@pytest.mark.parametrize("text", [str(NOW + 1), "9" * 30, "1e400"])
def test_a_moment_after_now_is_a_future_timestamp(text):
    review = review_of(timestamp=["1", text])
    check_timestamps(review, NOW)
    assert rejects(review) == [("future_timestamp", (2,))]


@pytest.mark.parametrize(
    ("digits", "unit"),
    [(3, "milliseconds"), (6, "microseconds"), (9, "nanoseconds")],
)
def test_finer_units_of_time_are_recognised(digits, unit):
    review = review_of(timestamp=["1406073600" + "0" * digits])
    check_timestamps(review, NOW)
    remedy = review.anomalies[0].remedy
    assert f"look like {unit}: divide them by 1{',000' * (digits // 3)}." in (
        remedy
    )


def test_a_far_future_in_seconds_is_not_taken_for_another_unit():
    review = review_of(timestamp=[str(NOW + 10)])
    check_timestamps(review, NOW)
    assert "look like" not in review.anomalies[0].remedy


def test_ratings_are_numbers_or_missing():
    review = review_of(rating=["4.5", "", " -1 "])
    ratings = check_ratings(review)
    np.testing.assert_array_equal(ratings, np.float32([4.5, np.nan, -1]))
    assert ratings.dtype == np.float32
    assert review.anomalies == []


@pytest.mark.parametrize("text", ["great", "nan", "inf", "1e39", "5/5"])
def test_other_ratings_are_bad(text):
    review = review_of(rating=["1", text])
    check_ratings(review)
    assert rejects(review) == [("bad_rating", (2,))]


def test_there_are_no_ratings_without_the_column():
    assert check_ratings(review_of(user_id=["a"])) is None


def test_positions_are_integers_and_zero_where_missing():
    review = review_of(position=["7", "", "-1"])
    assert check_positions(review).tolist() == [7, 0, -1]
    assert review.anomalies == []


def test_positions_are_zero_without_the_column():
    assert check_positions(review_of(user_id=["a", "b"])).tolist() == [0, 0]


def test_a_position_that_is_no_integer_is_bad():
    review = review_of(position=["1", "first"])
    check_positions(review)
    assert rejects(review) == [("bad_position", (2,))]


def test_splits_are_known_by_all_their_spellings():
    review = review_of(split=["train", "valid", "val", "dev", " TEST "])
    assert check_splits(review).tolist() == [0, 1, 1, 1, 2]
    assert review.anomalies == []


@pytest.mark.parametrize("text", ["", "holdout"])
def test_other_splits_are_unknown(text):
    review = review_of(split=[text, "validation"])
    check_splits(review)
    assert rejects(review) == [("unknown_split", (1,))]


def test_there_are_no_splits_without_the_column():
    assert check_splits(review_of(user_id=["a"])) is None


def test_items_are_places_in_the_catalogue():
    review = review_of(item_id=["b", "a", "b"])
    assert check_items(review, ["a", "b"]).tolist() == [1, 0, 1]


def test_an_event_of_an_item_that_is_not_in_the_catalogue_is_rejected():
    review = review_of(item_id=["a", "x"])
    check_items(review, ["a", "b"])
    assert rejects(review) == [("unknown_item", (2,))]


def test_ids_are_equal_only_to_the_letter():
    review = review_of(item_id=["7", "07", "7.0", "A"])
    check_items(review, ["7", "a"])
    assert rejects(review) == [("unknown_item", (2, 3, 4))]


def test_a_missing_event_type_is_a_click():
    review = review_of(event_type=["", " view ", "purchase"])
    assert check_event_types(review).to_pylist() == [
        "click", "view", "purchase",
    ]
    assert review.anomalies == []


def test_all_events_are_clicks_without_the_column():
    review = review_of(user_id=["a", "b"])
    assert check_event_types(review).to_pylist() == ["click", "click"]


def test_an_unknown_event_type_is_kept_and_named():
    review = review_of(event_type=["view", "purchas", "wave"])
    assert check_event_types(review).to_pylist() == ["view", "purchas", "wave"]
    (anomaly,) = review.anomalies
    assert (anomaly.name, anomaly.severity, anomaly.first_rows) == (
        "unknown_event_type", "note", (2, 3),
    )
    assert "'purchas' (is it 'purchase'?), 'wave': kept" in anomaly.remedy


def test_event_types_of_rejected_rows_are_not_named():
    review = review_of(item_id=["a", "x"], event_type=["hop", "skip"])
    check_items(review, ["a"])
    check_event_types(review)
    assert "'hop': kept" in review.anomalies[1].remedy


def test_only_ten_unknown_event_types_are_named():
    review = review_of(event_type=[f"type-{i:02}" for i in range(12)])
    check_event_types(review)
    remedy = review.anomalies[0].remedy
    assert "'type-09' and 2 others" in remedy
    assert "'type-10'" not in remedy
