"""Items that nobody has touched before they are asked for.

The protocol of TIGER (Rajput et al. 2023, arXiv 2305.05065, section 4.3): a
share of the items that are test targets leaves the train split. What a model
is fitted to holds none of their other events; `whole_histories` gives these
back to the users that are asked for.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality.event_table import EventTable, Notes
from schema import features


def make_cold(
    events: EventTable, *, share: float, split: str, seed: int
) -> tuple[EventTable, Notes]:
    """Removes all events of drawn test items that are not test targets.

    Args:
        events: the table.
        share: of the distinct test items that are drawn, rounded up.
        split: leave_one_out or column.
        seed: of the draw.

    Returns:
        The other events, and the drawn items with what was removed.

    Raises:
        ValueError: if the split is another one.
    """
    is_test = _test_rows(events, split)
    item = events.columns[features.ITEM_ID].astype(str)
    test_items = np.unique(item[is_test])
    count = int(np.ceil(share * len(test_items)))
    generator = np.random.default_rng(seed)
    drawn = np.sort(generator.choice(test_items, count, replace=False))
    removed = np.isin(item, drawn) & ~is_test
    kept = events.rows(~removed)
    users = events.columns[features.USER_ID][is_test & ~removed]
    left = set(events.columns[features.USER_ID][~removed & ~is_test])
    notes: Notes = {
        "items": drawn.tolist(),
        "removed_events": int(removed.sum()),
        "test_users_without_history": len(set(users) - left),
    }
    return kept, notes


def _test_rows(events: EventTable, split: str) -> np.ndarray:
    """[events] bool, the targets of the test split."""
    if split == "column" and features.SPLIT in events.columns:
        return np.asarray(events.columns[features.SPLIT] == "test")
    if split != "leave_one_out":
        raise ValueError(
            "--cold-items needs test events that do not depend on what is "
            f"removed: split leave_one_out or column, got {split!r}."
        )
    order = events.order()
    user = events.user[order]
    is_same = user[1:] == user[:-1]
    is_last = np.append(~is_same, True) & np.append(False, is_same)
    is_test = np.zeros(len(events), bool)
    is_test[order[is_last]] = True
    return is_test
