"""Behaviour sequences: order, splits, windows and point-in-time queries.

Pure NumPy functions that the local reader and the pipeline share. An event is
known to a target only if it stands before it in its user's order, which is
(timestamp, position, place in the file).
"""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from trainer.config import DataConfig
from trainer.tables import Events

TRAIN, VALIDATION, TEST = 0, 1, 2
_SPLIT_CODES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}

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
        table = np.array([_SPLIT_CODES[name] for name in names], np.int8)
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


def assign_split(
    events: OrderedEvents, config: DataConfig, seed: int
) -> np.ndarray:
    """[events] int8 split of each event, all events being there."""
    if config.split == "leave_one_out":
        return leave_one_out_split(events.starts)
    if config.split == "time":
        moments = time_cuts(
            events.timestamp, config.validation_share, config.test_share
        )
        return time_split(events.timestamp, *moments)
    split = column_split(events)
    if (split == VALIDATION).any():
        return split
    draws = np.array(
        [user_draw(name, seed) for name in events.user_ids], np.int64
    )
    eligible = may_hold_out(split, events.starts)
    limit = hold_out_limit(draws[eligible], config.validation_share)
    return hold_out_validation(split, events.starts, draws <= limit)


def leave_one_out_split(starts: np.ndarray) -> np.ndarray:
    """Last event of a user to test, the one before to validation.

    Users of two events give no validation target, users of one event no
    target at all: a first train event always stays.
    """
    split = np.full(starts[-1], TRAIN, np.int8)
    counts = np.diff(starts)
    split[starts[1:][counts >= 2] - 1] = TEST
    split[starts[1:][counts >= 3] - 2] = VALIDATION
    return split


def cut_rank(count: int, share: float) -> int:
    """Place, from 0, of the first of `count` events in the last `share`."""
    return int(np.ceil((count - 1) * (1 - share)))


def time_cuts(
    timestamp: np.ndarray, validation_share: float, test_share: float
) -> tuple[float, float]:
    """First moments of validation and of test; infinity for a share of 0."""
    shares = (validation_share + test_share, test_share)
    ranks = [cut_rank(len(timestamp), share) for share in shares]
    ordered = np.partition(timestamp, ranks)
    validation, test = (
        ordered[rank] if share > 0 else np.inf
        for rank, share in zip(ranks, shares, strict=True)
    )
    return validation, test


def time_split(
    timestamp: np.ndarray, validation_from: float, test_from: float
) -> np.ndarray:
    """Cuts all events at two moments; equal timestamps stay together."""
    split = np.full(len(timestamp), TRAIN, np.int8)
    split[timestamp >= validation_from] = VALIDATION
    split[timestamp >= test_from] = TEST
    return split


def column_split(events: OrderedEvents) -> np.ndarray:
    """The `split` column as codes.

    Raises:
        ValueError: if the events table has no such column.
    """
    if events.said_split is None:
        raise ValueError(
            "--split column needs a `split` column in the events table, and "
            "there is none; add it, or use --split time or leave_one_out."
        )
    return events.said_split


def user_draw(user_id: str, seed: int) -> int:
    """A user's lot in [0, 2**32): the same wherever it is drawn."""
    text = f"{seed}:{user_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big")


def may_hold_out(split: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """[users] bool: two train events or more."""
    is_train = np.concatenate([[0], np.cumsum(split == TRAIN)])
    return np.diff(is_train[starts]) >= 2


def hold_out_limit(draws: np.ndarray, share: float) -> int:
    """Largest lot of the `share` of eligible users with the smallest lots.

    Args:
        draws: [eligible users] lots.
        share: rounded up to whole users; -1 comes of none.
    """
    rank = hold_out_rank(len(draws), share)
    return int(np.partition(draws, rank)[rank]) if rank >= 0 else -1


def hold_out_rank(count: int, share: float) -> int:
    """Place, from 0, of the last of `count` users who is held out."""
    return int(np.ceil(share * count)) - 1


def hold_out_validation(
    split: np.ndarray, starts: np.ndarray, is_chosen: np.ndarray
) -> np.ndarray:
    """Moves the last train event of chosen users to validation.

    Args:
        split: [events] int8 codes without VALIDATION.
        starts: [users + 1] first row of each user.
        is_chosen: [users] bool; users of one train event keep it.
    """
    user = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    train_rows = np.flatnonzero(split == TRAIN)
    last_row = np.full(len(starts) - 1, -1)
    last_row[user[train_rows]] = train_rows  # the last write is the last row
    moved = is_chosen & may_hold_out(split, starts)
    split = split.copy()
    split[last_row[moved]] = VALIDATION
    return split


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
