"""Queries of TFRS's basic tutorial: a held-out event, what came before it.

Each is asked at its own moment, from its user's train events before; events
at the same moment, and other held-out ones, are not read. So each query gets a
user of its own, beside the real users, whose train events are what baselines
count.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.behaviour import (
    TEST,
    TRAIN,
    VALIDATION,
    Sequences,
    gap_buckets,
    target_rows,
)
from trainer.evaluation import Queries, build_queries
from trainer.prepare import Prepared


def held_out_queries(
    prepared: Prepared, shift: int
) -> tuple[Prepared, Queries, np.ndarray]:
    """One query per test event.

    Args:
        prepared: of a split by `random_split`.
        shift: by which its test events were moved, in seconds.

    Returns:
        Data in which every query has a user of its own, who has the train and
        validation events before the target in order of time, and then the
        target; the queries, with seen items left in; and [queries] the user
        in `prepared`.
    """
    before = prepared.sequences
    is_train = before.split == TRAIN
    time = before.timestamp - shift * (before.split == TEST)
    spans = _spans(before, time)
    targets = np.flatnonzero(before.split == TEST)
    user = np.searchsorted(before.starts, targets, "right") - 1
    rows = [
        np.append(spans[u][time[spans[u]] < time[target]], target)
        for u, target in zip(user, targets, strict=True)
    ]
    real = np.flatnonzero(is_train)
    real_user = np.searchsorted(before.starts, real, "right") - 1
    counts = np.concatenate([
        np.bincount(real_user, minlength=before.num_users),
        np.array([len(part) for part in rows], np.int64),
    ])
    index = np.concatenate([real, *rows])
    starts = np.concatenate([[0], np.cumsum(counts)])
    split = np.full(len(index), VALIDATION, np.int8)  # of a history
    split[: len(real)] = TRAIN
    split[starts[before.num_users + 1 :] - 1] = TEST
    sequences = reordered(before, index, time, starts=starts, split=split)
    asked = dataclasses.replace(
        prepared,
        sequences=sequences,
        labels=prepared.labels[index],
        profile_of=np.concatenate(
            [prepared.profile_of, prepared.profile_of[user]]
        ),
    )
    queries = build_queries(
        sequences, target_rows(sequences, TEST),
        num_items=len(prepared.catalogue), exclude_seen=False,
    )
    return asked, queries, user


def _spans(sequences: Sequences, time: np.ndarray) -> list[np.ndarray]:
    """Rows of each user's known events, in order of time."""
    known = np.flatnonzero(sequences.split != TEST)
    user = np.searchsorted(sequences.starts, known, "right") - 1
    order = np.lexsort((time[known], user))
    ends = np.cumsum(np.bincount(user, minlength=sequences.num_users))
    return np.split(known[order], ends[:-1])


def reordered(
    before: Sequences,
    index: np.ndarray,
    time: np.ndarray,
    *,
    starts: np.ndarray,
    split: np.ndarray,
) -> Sequences:
    """Rows of other sequences under new users."""
    is_first = np.zeros(len(index), bool)
    is_first[starts[:-1][np.diff(starts) > 0]] = True
    return Sequences(
        starts=starts,
        item=before.item[index],
        event_type=before.event_type[index],
        scenario=before.scenario[index],
        gap=gap_buckets(time[index], is_first),
        timestamp=time[index],
        rating=before.rating[index],
        split=split,
    )
