"""The split of TFRS's basic retrieval tutorial: events at random, 80 to 20.

The trainer reads users in order of time and stops at the first event that is
not to be trained on. Test events are therefore moved behind the others by a
shift of time, which `held_out_queries` takes back. Validation is the trainer's
own, the last train event of some users.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality.event_table import EventTable, Notes
from schema import features

TEST_SHARE = 0.2
SHIFT = "shift"


def split_at_random(events: EventTable, seed: int) -> tuple[EventTable, Notes]:
    """Draws test events from all events alike.

    Args:
        events: the table.
        seed: of the draw.

    Returns:
        The events with a `split` column; a test event's timestamp is `shift`
        seconds later than it was.
    """
    count = len(events)
    order = np.random.default_rng(seed).permutation(count)
    num_test = round(TEST_SHARE * count)
    split = np.full(count, "train", object)
    split[order[:num_test]] = "test"
    time = events.numbers(features.TIMESTAMP)
    shift = int(time.max() - time.min()) + 1
    treated = events.with_columns(
        timestamp=time + shift * (split == "test"), split=split
    )
    return treated, {SHIFT: shift}
