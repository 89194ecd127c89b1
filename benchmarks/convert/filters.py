"""Which events are kept: no repeats, and a dense core where one is wanted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from schema import features
from trainer.tables.column_values import is_repeat


def without_repeats(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """[events] bool: not all of an earlier row again, position aside.

    The trainer calls such rows duplicate events.
    """
    return ~is_repeat([
        values for name, values in columns.items() if name != features.POSITION
    ])


def k_core(
    user: np.ndarray, item: np.ndarray, is_kept: np.ndarray, min_events: int
) -> np.ndarray:
    """The largest set of events whose users and items all have enough.

    A user who goes takes events of items away, so it is repeated until
    nothing changes.

    Args:
        user, item: [events] int codes.
        is_kept: [events] bool, the events to start from.
        min_events: of each user and of each item; 0 keeps them all.

    Returns:
        [events] bool.
    """
    while True:
        has_enough = [
            np.bincount(codes[is_kept], minlength=codes.max(initial=-1) + 1)[
                codes
            ]
            >= min_events
            for codes in (user, item)
        ]
        core = np.logical_and.reduce([is_kept, *has_enough])
        if (core == is_kept).all():
            return core
        is_kept = core
