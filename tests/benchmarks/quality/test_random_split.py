"""The random split of TFRS's tutorial."""

from __future__ import annotations

import collections

import logs
import numpy as np

from benchmarks.quality.random_split import split_at_random

LINES = [(f"u{n % 7}", f"i{n}", 50 + n % 13) for n in range(200)]


def test_shares_are_80_to_20() -> None:
    treated, _ = split_at_random(logs.table(LINES), 0)
    counts = collections.Counter(treated.columns["split"])
    assert counts == {"test": 40, "train": 160}


def test_held_out_events_stand_behind_and_can_be_moved_back() -> None:
    treated, notes = split_at_random(logs.table(LINES), 1)
    shift = notes["shift"]
    assert shift == 13  # 50 to 62, and one
    times = {"train": [], "test": []}
    back = []
    for (user, item, time), split in zip(
        logs.lines(treated), treated.columns["split"], strict=True
    ):
        times[split].append(time)
        moved = {"train": 0, "test": 1}[split]
        back.append((user, item, time - moved * shift))
    assert back == LINES
    assert max(times["train"]) < min(times["test"])


def test_the_draw_is_by_seed_and_over_all_events() -> None:
    splits = np.array([
        split_at_random(logs.table(LINES), seed)[0].columns["split"] == "test"
        for seed in range(60)
    ])
    again = split_at_random(logs.table(LINES), 5)[0].columns["split"] == "test"
    assert (splits[5] == again).all()
    times_drawn = splits.sum(axis=0)  # 12 each expected of 60 draws
    assert times_drawn.min() > 0
    assert times_drawn.max() < 30
