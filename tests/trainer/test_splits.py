"""Which events are held out, told by hand and by counting."""

from __future__ import annotations

import numpy as np
import pytest
from event_tables import make_events
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import behaviour, splits
from trainer.config import DataConfig
from trainer.splits import TEST, TRAIN, VALIDATION

FEW = settings(max_examples=50, deadline=None)


def config(split: str) -> DataConfig:
    return DataConfig(split=split)


def test_leave_one_out_with_users_of_0_1_2_3_and_4_events() -> None:
    starts = np.array([0, 0, 1, 3, 6, 10])
    assert splits.leave_one_out_split(starts).tolist() == [
        TRAIN,
        TRAIN, TEST,
        TRAIN, VALIDATION, TEST,
        TRAIN, TRAIN, VALIDATION, TEST,
    ]


def cut(
    times: np.ndarray, validation_share: float, test_share: float
) -> np.ndarray:
    moments = splits.time_cuts(times, validation_share, test_share)
    return splits.time_split(times, *moments)


def test_time_split_cuts_ten_events_at_two_moments() -> None:
    times = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    split = cut(times, 0.2, 0.1)
    assert split.tolist() == [TRAIN] * 7 + [VALIDATION] * 2 + [TEST]


def test_time_split_cuts_over_users_whatever_the_order() -> None:
    times = np.array([9, 10, 1, 2, 8, 3, 7, 4, 6, 5])
    split = cut(times, 0.2, 0.1)
    expected = {8: VALIDATION, 9: VALIDATION, 10: TEST}
    assert split.tolist() == [expected.get(t, TRAIN) for t in times]


def test_events_of_one_moment_are_never_cut_apart() -> None:
    # The cuts fall at 5 and 8 of ten places; both are inside a tie.
    times = np.array([1, 2, 3, 4, 4, 4, 4, 9, 9, 9])
    split = cut(times, 0.3, 0.2)
    assert split.tolist() == (
        [TRAIN] * 3 + [VALIDATION] * 4 + [TEST] * 3
    )


def test_a_test_share_of_zero_leaves_no_test_events() -> None:
    split = cut(np.arange(10), 0.2, 0.0)
    assert split.tolist() == [TRAIN] * 8 + [VALIDATION] * 2


def test_a_validation_share_of_zero_leaves_no_validation_events() -> None:
    split = cut(np.arange(10), 0.0, 0.2)
    assert split.tolist() == [TRAIN] * 8 + [TEST] * 2


def test_shares_of_zero_leave_all_to_train() -> None:
    split = cut(np.arange(10), 0.0, 0.0)
    assert split.tolist() == [TRAIN] * 10


@FEW
@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_time_split_equals_a_count_of_the_events_before(
    times: list[int]
) -> None:
    n = len(times)
    ordered = sorted(times)
    # Quarters of the n - 1 steps between events, rounded up.
    first_validation = ordered[-(-(n - 1) * 2 // 4)]
    first_test = ordered[-(-(n - 1) * 3 // 4)]
    expected = [
        TEST if t >= first_test
        else VALIDATION if t >= first_validation
        else TRAIN
        for t in times
    ]
    split = cut(np.array(times), 0.25, 0.25)
    assert split.tolist() == expected


def test_column_split_is_what_the_column_says() -> None:
    events = make_events(
        user=[0, 0, 0, 0],
        timestamp=[4, 3, 2, 1],
        split=["test", "validation", "train", "train"],
    )
    found = behaviour.build_sequences(events, config("column"), 0)
    assert found.split.tolist() == [TRAIN, TRAIN, VALIDATION, TEST]


def test_column_split_without_the_column_says_what_to_do() -> None:
    events = make_events(user=[0], timestamp=[1])
    with pytest.raises(ValueError, match="add it, or use --split time"):
        behaviour.build_sequences(events, config("column"), 0)


def test_held_out_users_lose_their_last_train_event() -> None:
    # Users of 3, 1, 2 and 2 train events; the second keeps its only one.
    split = np.array([0, 0, 0, 2, 0, 2, 0, 0, 0, 2, 0], np.int8)
    starts = np.array([0, 4, 6, 8, 11])
    found = splits.hold_out_validation(split, starts, np.ones(4, bool))
    assert np.flatnonzero(found == VALIDATION).tolist() == [2, 7, 10]
    assert split.tolist().count(VALIDATION) == 0  # the input is as it was


def test_users_who_are_not_chosen_keep_their_events() -> None:
    split, starts = np.zeros(6, np.int8), np.array([0, 2, 4, 6])
    chosen = np.array([False, True, False])
    found = splits.hold_out_validation(split, starts, chosen)
    assert np.flatnonzero(found == VALIDATION).tolist() == [3]


def test_the_limit_takes_a_share_of_users_rounded_up() -> None:
    lots = np.array([50, 10, 40, 20, 30])
    assert splits.hold_out_limit(lots, 0.4) == 20
    assert splits.hold_out_limit(lots, 0.41) == 30
    assert splits.hold_out_limit(lots, 0.0) == -1
    assert splits.hold_out_limit(lots[:0], 0.4) == -1


def test_lots_are_even_and_depend_on_user_and_seed() -> None:
    lots = np.array([splits.user_draw(f"u{i}", 0) for i in range(4000)])
    assert abs((lots < 2**31).mean() - 0.5) < 0.03
    assert splits.user_draw("u1", 1) not in (lots[1], lots[2])


def test_column_without_validation_goes_through_the_whole_build() -> None:
    events = make_events(
        user=[0, 0, 0], timestamp=[1, 2, 3], split=["train", "train", "test"]
    )
    found = behaviour.build_sequences(events, config("column"), 0)
    assert found.split.tolist() == [TRAIN, VALIDATION, TEST]


def test_held_out_users_depend_on_the_seed_alone() -> None:
    events = make_events(
        user=list(range(40)) * 2,
        timestamp=list(range(80)),
        split=["train"] * 80,
    )
    first, again, other = (
        behaviour.build_sequences(events, config("column"), seed).split
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert (first == VALIDATION).sum() == 4  # a tenth of 40 users


def test_nobody_is_held_out_where_nobody_has_two_train_events() -> None:
    split = np.zeros(3, np.int8)
    found = splits.hold_out_validation(
        split, np.arange(4), np.ones(3, bool)
    )
    assert found.tolist() == [TRAIN] * 3
