"""Order, splits, gaps and windows, against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest
from event_tables import event_tables, make_events, ordered_rows, with_own_items
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import behaviour
from trainer.behaviour import TEST, TRAIN, VALIDATION, Sequences, Windows
from trainer.config import DataConfig
from trainer.tables import Events

FEW = settings(max_examples=60, deadline=None)


def sequences_of(splits: list[list[int]]) -> Sequences:
    """Users with these splits, event after event; items count up from 10."""
    flat = np.array([code for own in splits for code in own], np.int8)
    n = len(flat)
    return Sequences(
        starts=np.cumsum([0, *map(len, splits)]),
        item=np.arange(10, 10 + n, dtype=np.int32),
        event_type=np.zeros(n, np.int32),
        scenario=np.zeros(n, np.int32),
        gap=np.zeros(n, np.int32),
        timestamp=np.arange(n),
        rating=np.full(n, np.nan, np.float32),
        split=flat,
    )


def spans(windows: Windows) -> list[tuple[int, int, int, int]]:
    """(user, start, stop, first target) of each window."""
    columns = (
        windows.user, windows.start, windows.stop, windows.first_target
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def config(split: str, **fields: float) -> DataConfig:
    return DataConfig(split=split, **fields)  # type: ignore[arg-type]


def test_events_stand_by_user_then_time_then_position_then_file_order() -> None:
    events = make_events(
        user=[1, 0, 1, 0, 1, 0],
        timestamp=[5, 7, 5, 7, 4, 7],
        position=[1, 2, 0, 1, 9, 1],
    )
    found = behaviour.build_sequences(events, config("leave_one_out"), 0)
    assert found.item.tolist() == [3, 5, 1, 4, 2, 0]
    assert found.starts.tolist() == [0, 3, 6]


@FEW
@given(event_tables())
def test_no_event_is_lost_or_doubled(events: Events) -> None:
    events = with_own_items(events)
    found = behaviour.build_sequences(events, config("leave_one_out"), 0)
    rows = ordered_rows(events)
    expected = [row for user in sorted(rows) for row in rows[user]]
    assert found.item.tolist() == expected
    assert found.num_users == len(events.user_ids)


def test_every_column_follows_its_event() -> None:
    events = make_events(
        user=[0, 0, 0],
        timestamp=[30, 10, 20],
        item=[4, 5, 2],
        event_type=[2, 0, 1],
        scenario=[1, 0, 1],
        rating=[3.0, np.nan, 5.0],
    )
    found = behaviour.build_sequences(events, config("leave_one_out"), 0)
    assert found.item.tolist() == [5, 2, 4]
    assert found.event_type.tolist() == [0, 1, 2]
    assert found.scenario.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(found.rating, [np.nan, 5, 3])


def test_ratings_are_missing_where_there_is_no_such_column() -> None:
    events = make_events(user=[0, 0], timestamp=[1, 2])
    found = behaviour.build_sequences(events, config("leave_one_out"), 0)
    assert np.isnan(found.rating).all()


def test_sessions_end_at_a_pause_and_at_the_next_user() -> None:
    times = np.array([0, 1800, 3601, 9000, 9001, 10, 5000])
    is_first = np.array([True, False, False, False, False, True, False])
    found = behaviour.session_numbers(times, is_first)
    assert found.tolist() == [0, 0, 1, 2, 2, 0, 1]


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0, 1), (1, 2), (2, 2), (3, 3), (6, 3), (7, 4), (86_400, 17), (2**40, 33)],
)
def test_gap_buckets_by_hand(seconds: int, bucket: int) -> None:
    times = np.array([100, 100 + seconds])
    found = behaviour.gap_buckets(times, np.array([True, False]))
    assert found.tolist() == [0, bucket]


@FEW
@given(st.lists(st.integers(0, 2**36), min_size=2, max_size=9))
def test_gap_buckets_equal_a_count_of_doublings(gaps: list[int]) -> None:
    def slow(seconds: int) -> int:
        bucket, width, end = 1, 1, 1
        while seconds >= end and bucket < 33:
            bucket, width = bucket + 1, 2 * width
            end += width
        return bucket

    times = np.cumsum(gaps)
    is_first = np.arange(len(gaps)) == 0
    found = behaviour.gap_buckets(times, is_first)
    assert found.tolist() == [0, *map(slow, gaps[1:])]


def test_the_gap_of_a_users_first_event_is_unknown() -> None:
    events = make_events(user=[0, 0, 1, 1], timestamp=[10, 10, 500, 503])
    found = behaviour.build_sequences(events, config("leave_one_out"), 0)
    assert found.gap.tolist() == [0, 1, 0, 3]


def test_all_buckets_fit_the_table_of_gaps() -> None:
    times = np.array([0, 2**62])
    found = behaviour.gap_buckets(times, np.array([True, False]))
    assert found.max() == behaviour.NUM_GAPS - 1


def test_a_short_user_is_one_window_of_targets() -> None:
    sequences = sequences_of([[TRAIN] * 3, [TRAIN]])
    found = behaviour.train_windows(sequences, 4)
    assert spans(found) == [(0, 0, 3, 0), (1, 3, 4, 3)]


def test_windows_of_a_long_user_overlap_by_half() -> None:
    # History 4: windows of 5 rows, each later one brings 2 new targets.
    sequences = sequences_of([[TRAIN] * 10])
    found = behaviour.train_windows(sequences, 4)
    assert spans(found) == [
        (0, 0, 5, 0), (0, 2, 7, 5), (0, 4, 9, 7), (0, 6, 10, 9)
    ]


def test_a_history_of_one_gives_each_later_target_one_event() -> None:
    sequences = sequences_of([[TRAIN] * 4])
    found = behaviour.train_windows(sequences, 1)
    assert spans(found) == [(0, 0, 2, 0), (0, 1, 3, 2), (0, 2, 4, 3)]


def test_training_stops_at_a_users_first_held_out_event() -> None:
    sequences = sequences_of(
        [[TRAIN, TRAIN, TEST, TRAIN], [VALIDATION, TRAIN], [TRAIN, VALIDATION]]
    )
    found = behaviour.train_windows(sequences, 5)
    assert spans(found) == [(0, 0, 2, 0), (2, 6, 7, 6)]


def test_users_without_events_have_no_windows() -> None:
    sequences = sequences_of([[], [TRAIN], []])
    assert spans(behaviour.train_windows(sequences, 3)) == [(1, 0, 1, 0)]


def test_no_train_events_give_no_windows() -> None:
    sequences = sequences_of([[TEST], [TEST]])
    assert spans(behaviour.train_windows(sequences, 3)) == []


@FEW
@given(st.integers(1, 60), st.integers(1, 12))
def test_each_target_has_half_a_history_before_it(
    count: int, history: int
) -> None:
    sequences = sequences_of([[TRAIN] * count])
    for _, start, stop, first in spans(
        behaviour.train_windows(sequences, history)
    ):
        for target in range(first, stop):
            assert target - start <= history
            assert target - start >= min(target, history // 2)


def test_target_rows_are_those_of_the_split() -> None:
    sequences = sequences_of([[TRAIN, TEST], [VALIDATION, TEST]])
    assert behaviour.target_rows(sequences, TEST).tolist() == [1, 3]


def test_a_limit_draws_that_many_targets_in_order() -> None:
    sequences = sequences_of([[TEST] * 30])
    found = behaviour.target_rows(sequences, TEST, limit=7, seed=3).tolist()
    assert len(set(found)) == 7
    assert found == sorted(found)
    again = behaviour.target_rows(sequences, TEST, limit=7, seed=3).tolist()
    assert found == again


def test_a_limit_above_the_count_changes_nothing() -> None:
    sequences = sequences_of([[TEST] * 3])
    found = behaviour.target_rows(sequences, TEST, limit=3)
    assert found.tolist() == [0, 1, 2]


def test_query_windows_hold_the_latest_events_before_the_target() -> None:
    sequences = sequences_of([[], [TRAIN] * 4 + [TEST], [TEST], []])
    found = behaviour.query_windows(sequences, np.array([4, 5, 1]), 3)
    assert spans(found) == [(1, 1, 4, 4), (2, 5, 5, 5), (1, 0, 1, 1)]


def test_no_targets_give_no_query_windows() -> None:
    sequences = sequences_of([[TRAIN]])
    found = behaviour.query_windows(sequences, np.array([], np.int64), 3)
    assert spans(found) == []
