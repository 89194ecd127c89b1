"""Drawn test items keep nothing but the events that are asked for."""

from __future__ import annotations

import logs
import numpy as np
import pytest

from benchmarks.quality.cold_items import make_cold

# Last events: a -> x, b -> y, c -> x. The rest is history.
LINES = [
    ("a", "y", 1), ("b", "x", 1), ("a", "z", 2), ("a", "x", 3),
    ("b", "z", 2), ("b", "y", 3), ("c", "y", 1), ("c", "x", 2),
]


def by_drawn_item(share: float, seeds: int = 30) -> dict[str, tuple]:
    found = {}
    for seed in range(seeds):
        kept, notes = make_cold(
            logs.table(LINES), share=share, split="leave_one_out", seed=seed
        )
        found[",".join(notes["items"])] = (logs.lines(kept), notes)
    return found


def test_each_test_item_may_be_drawn_and_no_other() -> None:
    assert set(by_drawn_item(0.5)) == {"x", "y"}  # z is nobody's target


def test_other_events_of_a_drawn_item_are_removed() -> None:
    kept, notes = by_drawn_item(0.5)["x"]
    assert kept == [line for line in LINES if line != ("b", "x", 1)]
    assert notes["removed_events"] == 1
    assert notes["test_users_without_history"] == 0


def test_users_whose_history_is_gone_are_counted() -> None:
    kept, notes = by_drawn_item(0.5)["y"]
    assert kept == [
        line for line in LINES if line not in (LINES[0], LINES[6])
    ]
    assert notes["removed_events"] == 2
    assert notes["test_users_without_history"] == 1  # c had only y


def test_a_share_is_of_the_test_items_and_rounded_up() -> None:
    assert set(by_drawn_item(0.01)) == {"x", "y"}
    assert set(by_drawn_item(0.51)) == {"x,y"}


def test_the_split_column_says_which_events_are_targets() -> None:
    split = ["train", "test", "train", "test", "train", "train", "test", "test"]
    kept, notes = make_cold(
        logs.table(LINES, split=split), share=0.9, split="column", seed=0
    )
    assert notes["items"] == ["x", "y"]
    is_test = np.array(split) == "test"
    expected = [
        line for line, test in zip(LINES, is_test, strict=True)
        if test or line[1] == "z"
    ]
    assert logs.lines(kept) == expected


@pytest.mark.parametrize("split", ["time", "column"])
def test_a_split_that_removal_would_move_is_refused(split: str) -> None:
    with pytest.raises(ValueError, match="leave_one_out or column"):
        make_cold(logs.table(LINES), share=0.5, split=split, seed=0)
