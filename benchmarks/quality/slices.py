"""Subsets of the test targets, by what training has seen of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

ITEM_TRAIN_EVENTS, USER_TRAIN_EVENTS = "item_train_events", "user_train_events"
# Name -> whose train events, from and to; None for no end.
_BOUNDS: dict[str, tuple[str, int, int | None]] = {
    "item cold (0)": (ITEM_TRAIN_EVENTS, 0, 0),
    "item tail (1-5)": (ITEM_TRAIN_EVENTS, 1, 5),
    "item torso (6-50)": (ITEM_TRAIN_EVENTS, 6, 50),
    "item head (51+)": (ITEM_TRAIN_EVENTS, 51, None),
    "user cold (0)": (USER_TRAIN_EVENTS, 0, 0),
    "user 1-3": (USER_TRAIN_EVENTS, 1, 3),
    "user 4-10": (USER_TRAIN_EVENTS, 4, 10),
    "user 11+": (USER_TRAIN_EVENTS, 11, None),
}
NAMES = tuple(_BOUNDS)


def chosen(targets: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """[queries] bool, the targets of a slice.

    Args:
        targets: [queries] train events of each target's item and user.
        name: one of `NAMES`; together those of items, and those of users,
            have every target once.
    """
    column, low, high = _BOUNDS[name]
    events = targets[column]
    return (events >= low) & (events <= (np.inf if high is None else high))
