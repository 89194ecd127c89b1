"""Some users alone: fewer events over the same catalogue."""

from __future__ import annotations

import numpy as np

from benchmarks.quality.event_table import EventTable, Notes


def sample_users(
    events: EventTable, *, share: float, seed: int
) -> tuple[EventTable, Notes]:
    """Keeps all events of a drawn share of the users.

    Args:
        events: the table.
        share: of the users, at least one of whom stays.
        seed: of the draw.

    Returns:
        Their events, in the order of the file, and how many users they are.
    """
    user = events.user
    count = int(user.max()) + 1
    kept = max(1, round(share * count))
    drawn = np.random.default_rng(seed).permutation(count)[:kept]
    return events.rows(np.isin(user, drawn)), {"users": kept}
