"""Behaviour sequences: order, windows and point-in-time queries.

Pure NumPy functions that the local reader and the pipeline share. An event is
known to a target only if it stands before it in its user's order, which is
(timestamp, position, place in the file).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.config import DataConfig
from trainer.splits import SPLIT_CODES, assign_split
from trainer.splits import TEST as TEST
from trainer.splits import TRAIN as TRAIN
from trainer.splits import VALIDATION as VALIDATION
from trainer.tables import Events

# Buckets of the seconds between two events: 1 below one second, 2 below
# three, then twice as wide each, 33 from 136 years on. The served graph uses
# the same bounds (`trainer.requests`).
UNKNOWN_GAP = 0
GAP_BOUNDS = np.array([2**i - 1 for i in range(1, 33)], np.int64)
NUM_GAPS = len(GAP_BOUNDS) + 2
SESSION_PAUSE = 1800  # seconds without an event that end a session


@dataclasses.dataclass(frozen=True)
class Sequences:
    """All events, user by user in order; user u owns rows of `span(u)`.

    Attributes:
        starts: [users + 1] int64, first row of each user.
        item, event_type, scenario, gap: [events] int32 codes.
        timestamp: [events] int64 unix seconds.
        rating: [events] float32, NaN where there is none.
        split: [events] int8, TRAIN, VALIDATION or TEST.
    """

    starts: np.ndarray
    item: np.ndarray
    event_type: np.ndarray
    scenario: np.ndarray
    gap: np.ndarray
    timestamp: np.ndarray
    rating: np.ndarray
    split: np.ndarray

    @property
    def num_users(self) -> int:
        """Users with at least one event."""
        return len(self.starts) - 1


@dataclasses.dataclass(frozen=True)
class Windows:
    """Stretches of one user's rows, each read by one pass of the LSTM.

    Attributes:
        user: [windows] int32.
        start, stop: [windows] int64 rows of `Sequences`.
        first_target: [windows] int64, the first row that is a target here;
            rows before it are context alone.
    """

    user: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    first_target: np.ndarray


def session_numbers(
    timestamps: np.ndarray, is_first: np.ndarray
) -> np.ndarray:
    """Numbers each user's sessions from 0; a pause of half an hour ends one.

    Args:
        timestamps: [events] int64 unix seconds, ordered within a user.
        is_first: [events] bool, the first event of a user.

    Returns:
        [events] int64.
    """
    pause = np.diff(timestamps, prepend=timestamps[:1]) > SESSION_PAUSE
    opened = np.cumsum(pause | is_first)
    first_rows = np.flatnonzero(is_first)
    per_user = np.diff([*first_rows, len(timestamps)])
    return opened - np.repeat(opened[first_rows], per_user)


def gap_buckets(
    timestamps: np.ndarray, is_first: np.ndarray
) -> np.ndarray:
    """Buckets the seconds since the event before on a log2 scale.

    Args:
        timestamps: [events] int64 unix seconds, ordered within a user.
        is_first: [events] bool, the first event of a user.

    Returns:
        [events] int32 in [0, NUM_GAPS); UNKNOWN_GAP at a first event.
    """
    seconds = np.diff(timestamps, prepend=timestamps[:1]).clip(min=0)
    buckets = 1 + np.searchsorted(GAP_BOUNDS, seconds, side="right")
    return np.where(is_first, UNKNOWN_GAP, buckets).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class OrderedEvents:
    """Events user by user, each user's in order; not yet split.

    Attributes:
        user_ids: [users] in the order of `starts`.
        starts: [users + 1] int64, first row of each user.
        item, event_type, scenario: [events] int32 places as in `Events`.
        timestamp, position: [events] int64.
        rating: [events] float32, NaN where there is none.
        said_split: [events] int8 codes of the `split` column; None without.
        text: [events] int32 places as in `Events`; None where not read.
    """

    user_ids: list[str]
    starts: np.ndarray
    item: np.ndarray
    event_type: np.ndarray
    scenario: np.ndarray
    timestamp: np.ndarray
    position: np.ndarray
    rating: np.ndarray
    said_split: np.ndarray | None
    text: np.ndarray | None = None

    @property
    def is_first(self) -> np.ndarray:
        """[events] bool, the first event of a user."""
        first = np.zeros(len(self.item), bool)
        first[self.starts[:-1][np.diff(self.starts) > 0]] = True
        return first


def order_events(events: Events) -> OrderedEvents:
    """Sorts events by (user, timestamp, position, place in the file)."""
    order = np.lexsort((events.position, events.timestamp, events.user))
    counts = np.bincount(events.user, minlength=len(events.user_ids))
    rating = (
        np.full(len(order), np.nan, np.float32)
        if events.rating is None
        else events.rating[order]
    )
    said = None
    if events.split is not None:
        names, codes = np.unique(events.split, return_inverse=True)
        table = np.array([SPLIT_CODES[name] for name in names], np.int8)
        said = table[codes][order]
    return OrderedEvents(
        user_ids=events.user_ids,
        starts=np.concatenate([[0], np.cumsum(counts)]),
        item=events.item[order],
        event_type=events.event_type[order],
        scenario=events.scenario[order],
        timestamp=events.timestamp[order],
        position=events.position[order],
        rating=rating,
        said_split=said,
        text=None if events.text is None else events.text[order],
    )


def build_sequences(events: Events, config: DataConfig, seed: int) -> Sequences:
    """Orders events by user and time, and assigns each to its split."""
    ordered = order_events(events)
    return Sequences(
        starts=ordered.starts,
        item=ordered.item,
        event_type=ordered.event_type,
        scenario=ordered.scenario,
        gap=gap_buckets(ordered.timestamp, ordered.is_first),
        timestamp=ordered.timestamp,
        rating=ordered.rating,
        split=assign_split(ordered, config, seed),
    )


def train_windows(sequences: Sequences, max_history: int) -> Windows:
    """Windows in which each train event is a target exactly once.

    A window is `max_history` events and the target after them. Windows of a
    user after the first overlap by half, and the overlap is context alone, so
    no target of a long sequence is predicted from an almost empty state.
    """
    starts, stops = sequences.starts[:-1], sequences.starts[1:]
    # Events of a later split may stand before a train event only where a
    # `split` column says so; training then stops at the first of them.
    stops = starts + _leading_train(sequences, stops - starts)
    length, stride = max_history + 1, max(1, max_history // 2)
    rows: list[tuple[int, int, int, int]] = []
    for user in np.flatnonzero(stops > starts):
        start, stop = int(starts[user]), int(stops[user])
        target = start
        while target < stop:
            end = min(stop, start + length)
            rows.append((user, start, end, target))
            target, start = end, end - length + stride
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Windows(
        table[:, 0].astype(np.int32), table[:, 1], table[:, 2], table[:, 3]
    )


def _leading_train(sequences: Sequences, counts: np.ndarray) -> np.ndarray:
    """[users] train events before the first event of another split."""
    later = np.flatnonzero(sequences.split != TRAIN)
    user = np.searchsorted(sequences.starts, later, "right") - 1
    leading = counts.copy()
    # In reverse, so that the first such event of a user is written last.
    leading[user[::-1]] = (later - sequences.starts[user])[::-1]
    return leading


def target_rows(
    sequences: Sequences, split: int, *, limit: int | None = None, seed: int = 0
) -> np.ndarray:
    """Rows that are targets of a split, in order; `limit` draws a sample."""
    rows = np.flatnonzero(sequences.split == split)
    if limit is not None and len(rows) > limit:
        rows = np.sort(
            np.random.default_rng(seed).choice(rows, limit, replace=False)
        )
    return rows


def query_windows(
    sequences: Sequences, targets: np.ndarray, max_history: int
) -> Windows:
    """One window per target row: the events before it, the latest ones."""
    user = np.searchsorted(sequences.starts, targets, "right") - 1
    start = np.maximum(sequences.starts[user], targets - max_history)
    return Windows(user.astype(np.int32), start, targets, targets)
