"""Subsets of the test targets, by what training has seen of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

# Name -> train events, from and to; None for no end.
_ITEM = {
    "item cold (0)": (0, 0),
    "item tail (1-5)": (1, 5),
    "item torso (6-50)": (6, 50),
    "item head (51+)": (51, None),
}
_USER = {
    "user cold (0)": (0, 0),
    "user 1-3": (1, 3),
    "user 4-10": (4, 10),
    "user 11+": (11, None),
}
ITEM_TRAIN_EVENTS, USER_TRAIN_EVENTS = "item_train_events", "user_train_events"


def slices(targets: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """[queries] bool of every slice that has a query.

    Args:
        targets: [queries] train events of each target's item and user.
    """
    found = {}
    for column, bounds in (
        (ITEM_TRAIN_EVENTS, _ITEM), (USER_TRAIN_EVENTS, _USER)
    ):
        events = targets[column]
        for name, (low, high) in bounds.items():
            chosen = events >= low
            if high is not None:
                chosen &= events <= high
            if chosen.any():
                found[name] = chosen
    return found
