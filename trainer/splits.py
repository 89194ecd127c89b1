"""Which events are trained on, and which are held out.

Pure NumPy functions that the local reader and the pipeline share. What a
split must know of all users, two moments or one limit, is a number that can
be found at any size.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from trainer.config import DataConfig

if TYPE_CHECKING:
    from trainer.behaviour import OrderedEvents

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_CODES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


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
