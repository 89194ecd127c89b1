"""Small event tables: made by hand, or drawn at random by hypothesis."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from trainer.tables import Dataset, Events, Items, Users

TYPES = ["view", "click", "purchase"]
SCENARIOS = ["home", "search page"]
NUM_ITEMS = 6


def make_events(
    user: Sequence[int],
    timestamp: Sequence[int],
    *,
    item: Sequence[int] | None = None,
    position: Sequence[int] | None = None,
    event_type: Sequence[int] | None = None,
    scenario: Sequence[int] | None = None,
    rating: Sequence[float] | None = None,
    split: Sequence[str] | None = None,
) -> Events:
    """Events of users 0, 1, ...; each row is its own item unless told."""
    n = len(user)

    def column(values: Sequence[int] | None, dtype: type) -> np.ndarray:
        return np.array([0] * n if values is None else values, dtype)

    return Events(
        user_ids=[f"u{code}" for code in range(max(user, default=-1) + 1)],
        user=np.array(user, np.int32),
        item=np.array(range(n) if item is None else item, np.int32),
        timestamp=np.array(timestamp, np.int64),
        position=column(position, np.int64),
        event_types=TYPES,
        event_type=column(event_type, np.int32),
        scenarios=SCENARIOS,
        scenario=column(scenario, np.int32),
        rating=None if rating is None else np.array(rating, np.float32),
        split=None if split is None else np.array(split, object),
    )


def make_dataset(
    events: Events, items: Items | None = None, users: Users | None = None
) -> Dataset:
    """A data set of these events and, unless told, `NUM_ITEMS` items."""
    ids = [f"i{code}" for code in range(NUM_ITEMS)]
    titles = {"title": [f"title of {name}" for name in ids]}
    return Dataset(
        events=events,
        items=items or Items(ids, titles),
        users=users or Users([], []),
        scenarios={},
        anomalies=[],
        notes=[],
    )


_ROWS = st.tuples(
    st.integers(0, 3),  # user
    st.integers(1, 9),  # timestamp, often tied
    st.integers(0, NUM_ITEMS - 1),
    st.integers(0, 1),  # position
    st.integers(0, len(TYPES) - 1),
    st.integers(0, len(SCENARIOS) - 1),
    st.sampled_from([1.0, 2.0, 5.0, np.nan]),
    st.sampled_from(["train", "train", "train", "validation", "test"]),
)


@st.composite
def event_tables(draw: st.DrawFn) -> Events:
    """1 to 30 events in any order, with ties, repeats and all columns."""
    rows = draw(st.lists(_ROWS, min_size=1, max_size=30))
    names = (
        "user", "timestamp", "item", "position", "event_type", "scenario",
        "rating", "split",
    )
    return make_events(**dict(zip(names, zip(*rows, strict=True), strict=True)))


def with_own_items(events: Events) -> Events:
    """The same events, each of its own item, so that a code names its row."""
    rows = np.arange(len(events.user), dtype=np.int32)
    return dataclasses.replace(events, item=rows)


def ordered_rows(events: Events) -> dict[int, list[int]]:
    """Rows of each user by (timestamp, position, place in the file)."""
    rows = defaultdict(list)
    for row, user in enumerate(events.user.tolist()):
        rows[user].append(row)
    for own in rows.values():
        own.sort(
            key=lambda row: (events.timestamp[row], events.position[row], row)
        )
    return dict(rows)
