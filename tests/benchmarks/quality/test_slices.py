"""Slices by train events of item and user."""

from __future__ import annotations

import numpy as np

from benchmarks.quality import slices

TARGETS = {
    "item_train_events": np.array([0, 1, 5, 6, 50, 51, 900]),
    "user_train_events": np.array([0, 1, 3, 4, 10, 11, 500]),
}


def places(name: str) -> list[int]:
    return np.flatnonzero(slices.chosen(TARGETS, name)).tolist()


def test_bounds_are_inclusive() -> None:
    assert [places(name) for name in slices.NAMES] == [
        [0], [1, 2], [3, 4], [5, 6],  # items
        [0], [1, 2], [3, 4], [5, 6],  # users
    ]


def test_slices_of_one_kind_have_every_target_once() -> None:
    rng = np.random.default_rng(0)
    targets = {name: rng.integers(0, 80, 300) for name in TARGETS}
    for kind in ("item", "user"):
        found = [
            slices.chosen(targets, name)
            for name in slices.NAMES if name.startswith(kind)
        ]
        assert (np.sum(found, axis=0) == 1).all()
