"""Events of one user at one time get an order that says nothing.

Where a log knows only the day, the order within a day is that of the file: of
item ids, say, from which a model can learn what no model should know.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality.event_table import EventTable, Notes
from schema import features


def shuffle_ties(events: EventTable, seed: int) -> tuple[EventTable, Notes]:
    """Draws the order of a user's events of equal timestamp anew.

    Args:
        events: the table.
        seed: of the draw.

    Returns:
        The events user by user in their new order, which `position` holds;
        and how many of them had a tie.
    """
    user, time = events.user, events.numbers(features.TIMESTAMP)
    lots = np.random.default_rng(seed).random(len(events))
    order = np.lexsort((lots, time, user))
    same = (np.diff(user[order]) == 0) & (np.diff(time[order]) == 0)
    tied = np.zeros(len(events), bool)
    tied[1:] |= same
    tied[:-1] |= same
    starts = np.flatnonzero(np.diff(user[order], prepend=-1))
    counts = np.diff(np.append(starts, len(events)))
    position = np.arange(len(events)) - np.repeat(starts, counts)
    shuffled = events.rows(order).with_columns(position=position)
    return shuffled, {"tied_events": int(tied.sum())}
