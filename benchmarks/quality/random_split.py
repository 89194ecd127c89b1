"""The split of TFRS's basic retrieval tutorial: events at random, 80 to 20.

The trainer reads users in order of time and stops at the first event that is
not to be trained on. Held-out events are therefore moved behind the others by
a shift of time, which `whole_history` takes back for the queries.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality.event_table import EventTable, Notes
from schema import features

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.05  # of the other events, for early stopping
SHIFT = "shift"


def split_at_random(events: EventTable, seed: int) -> tuple[EventTable, Notes]:
    """Draws test and validation events from all events alike.

    Args:
        events: the table.
        seed: of the draw.

    Returns:
        The events with a `split` column; a validation event's timestamp is
        `shift` seconds later than it was and a test event's twice that.
    """
    count = len(events)
    order = np.random.default_rng(seed).permutation(count)
    num_test = round(TEST_SHARE * count)
    num_validation = round(VALIDATION_SHARE * (count - num_test))
    split = np.full(count, "train", object)
    split[order[:num_test]] = "test"
    split[order[num_test : num_test + num_validation]] = "validation"
    time = events.numbers(features.TIMESTAMP)
    shift = int(time.max() - time.min()) + 1
    times_shifted = np.select([split == "test", split == "validation"], [2, 1])
    treated = events.with_columns(
        timestamp=time + shift * times_shifted, split=split
    )
    return treated, {SHIFT: shift}
