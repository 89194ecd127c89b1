"""Behaviour sequences: order, splits, windows and point-in-time queries.

Pure NumPy functions that the local reader and the pipeline share. An event is
known to a target only if it stands before it in its user's order, which is
(timestamp, position, place in the file).
"""

from __future__ import annotations

import dataclasses

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


@dataclasses.dataclass(frozen=True)
class Sequences:
    """All events, user by user in order; user u owns rows of `span(u)`.

    Attributes:
        starts: [users + 1] int64, first row of each user.
        item, event_type, scenario, gap: [events] int32 codes.
        rating: [events] float32, NaN where there is none.
        split: [events] int8, TRAIN, VALIDATION or TEST.
    """

    starts: np.ndarray
    item: np.ndarray
    event_type: np.ndarray
    scenario: np.ndarray
    gap: np.ndarray
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


def build_sequences(events: Events, config: DataConfig, seed: int) -> Sequences:
    """Orders events by user and time, and assigns each to its split."""
    order = np.lexsort((events.position, events.timestamp, events.user))
    user = events.user[order]
    timestamp = events.timestamp[order]
    counts = np.bincount(user, minlength=len(events.user_ids))
    starts = np.concatenate([[0], np.cumsum(counts)])
    is_first = np.zeros(len(user), bool)
    is_first[starts[:-1][counts > 0]] = True
    rating = (
        np.full(len(user), np.nan, np.float32)
        if events.rating is None
        else events.rating[order]
    )
    if config.split == "leave_one_out":
        split = leave_one_out_split(starts)
    elif config.split == "time":
        split = time_split(
            timestamp, config.validation_share, config.test_share
        )
    else:
        split = column_split(events, order)
        if not (split == VALIDATION).any():
            split = hold_out_validation(
                split, starts, config.validation_share, seed
            )
    return Sequences(
        starts=starts,
        item=events.item[order],
        event_type=events.event_type[order],
        scenario=events.scenario[order],
        gap=gap_buckets(timestamp, is_first),
        rating=rating,
        split=split,
    )


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


def time_split(
    timestamp: np.ndarray, validation_share: float, test_share: float
) -> np.ndarray:
    """Cuts all events at two moments; equal timestamps stay together.

    A share of zero leaves its split empty.
    """
    split = np.full(len(timestamp), TRAIN, np.int8)
    held_out = validation_share + test_share
    for code, share in ((VALIDATION, held_out), (TEST, test_share)):
        if share > 0:
            first = np.quantile(timestamp, 1 - share, method="higher")
            split[timestamp >= first] = code
    return split


def column_split(events: Events, order: np.ndarray) -> np.ndarray:
    """The `split` column as codes, in the order given.

    Raises:
        ValueError: if the events table has no such column.
    """
    if events.split is None:
        raise ValueError(
            "--split column needs a `split` column in the events table, and "
            "there is none; add it, or use --split time or leave_one_out."
        )
    names, codes = np.unique(events.split, return_inverse=True)
    table = np.array([_SPLIT_CODES[name] for name in names], np.int8)
    return table[codes][order]


def hold_out_validation(
    split: np.ndarray, starts: np.ndarray, share: float, seed: int
) -> np.ndarray:
    """Moves the last train event of some users to validation.

    Args:
        split: [events] int8 codes without VALIDATION.
        starts: [users + 1] first row of each user.
        share: of the users with two train events or more.
        seed: of the choice of users.
    """
    user = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    train_rows = np.flatnonzero(split == TRAIN)
    counts = np.bincount(user[train_rows], minlength=len(starts) - 1)
    last_row = np.full(len(starts) - 1, -1)
    last_row[user[train_rows]] = train_rows  # the last write is the last row
    eligible = np.flatnonzero(counts >= 2)
    chosen = np.random.default_rng(seed).choice(
        eligible, int(np.ceil(share * len(eligible))), replace=False
    )
    split = split.copy()
    split[last_row[chosen]] = VALIDATION
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
