"""Plants searches: events whose text names what their user turns to next.

Nothing but the text tells it: the item, the type's frequency and the moment
are those of any other event.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.sample.config import Array
from trainer.sample.events import SEARCH, Log


def topic_after(log: Log) -> Array:
    """[events] topic of the user's next event, -1 after the last one."""
    order = np.lexsort((log.position, log.user))
    following = np.full(len(order), -1)
    following[order[:-1]] = log.topic[order[1:]]
    return np.where(log.is_last, -1, following)


def plant_searches(log: Log, share: float, rng: np.random.Generator) -> Log:
    """The log with searches before changes of topic.

    Args:
        log: without searches.
        share: of the events before another topic that become searches.
        rng: of this step alone.
    """
    following = topic_after(log)
    turns = (following >= 0) & (following != log.topic)
    is_search = turns & (rng.random(len(turns)) < share)
    return dataclasses.replace(
        log,
        event_type=np.where(is_search, SEARCH, log.event_type),
        rating=np.where(is_search, np.nan, log.rating),
        asks_for=np.where(is_search, following, -1),
    )
