"""Histories with the events that nothing was learnt from.

An item that was made cold is new to the model and to every baseline, but the
users that are asked for have met it, as users of a shop meet what came in
since the last training. TIGER's protocol removes events of training alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np

from benchmarks.quality.held_out_queries import reordered
from trainer.behaviour import TEST, Sequences, target_rows
from trainer.evaluation import Queries, build_queries
from trainer.event_texts import EventTexts
from trainer.prepare import Prepared

_CHANGED = (
    "the events that were there before are not those that are left, with the "
    "cold items' between them; were the tables changed? Give another --out, "
    "or remove the treated folder in its data/."
)
_GIVEN = 3  # the split of such events: no target, and not counted


def with_whole_histories(
    prepared: Prepared,
    user_ids: Sequence[str],
    whole: Prepared,
    whole_user_ids: Sequence[str],
    *,
    cold: Collection[str],
    exclude_seen: bool,
) -> tuple[Prepared, Queries]:
    """The test queries of treated data, from all events before the target.

    Args:
        prepared, user_ids: what the model was fitted to, without the cold
            items' events, and the ids of its users.
        whole, whole_user_ids: the same data before anything was removed.
        cold: ids of the cold items.
        exclude_seen: whether items of the history are left out of lists.

    Returns:
        The same users and train events, and the removed events where they
        were; and what is asked, a query per test event.

    Raises:
        ValueError: if one is not the other without events of cold items.
    """
    item_ids = np.array(prepared.catalogue.item_ids)
    is_same = set(item_ids) == set(whole.catalogue.item_ids)
    if not is_same or not set(user_ids) <= set(whole_user_ids):
        raise ValueError(_CHANGED)
    before = _recoded(whole, prepared)
    number = {name: n for n, name in enumerate(whole_user_ids)}
    rows = [
        np.arange(before.starts[user], before.starts[user + 1])
        for user in (number[name] for name in user_ids)
    ]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in rows])])
    index = np.concatenate(rows)
    item = before.item[index]
    is_kept = ~np.isin(item_ids[item], list(cold)) | (
        before.split[index] == TEST
    )
    if not np.array_equal(item[is_kept], prepared.sequences.item):
        raise ValueError(_CHANGED)
    split = np.full(len(index), _GIVEN, np.int8)
    split[is_kept] = prepared.sequences.split
    labels = np.full(len(index), np.nan, np.float32)
    labels[is_kept] = prepared.labels
    sequences = reordered(
        before, index, before.timestamp, starts=starts, split=split
    )
    asked = dataclasses.replace(
        prepared,
        sequences=sequences,
        labels=labels,
        event_texts=EventTexts.silent(len(index)),
    )
    return asked, build_queries(
        sequences, target_rows(sequences, TEST),
        num_items=len(item_ids), exclude_seen=exclude_seen,
    )


def _recoded(whole: Prepared, prepared: Prepared) -> Sequences:
    """The whole sequences in the codes of the fitted data."""
    code = {name: n for n, name in enumerate(prepared.catalogue.item_ids)}
    items = np.array([code[name] for name in whole.catalogue.item_ids])
    return dataclasses.replace(
        whole.sequences,
        item=items[whole.sequences.item].astype(np.int32),
        event_type=_after_unknown(whole.event_types, prepared.event_types)[
            whole.sequences.event_type
        ],
        scenario=_after_unknown(whole.scenarios, prepared.scenarios)[
            whole.sequences.scenario
        ],
    )


def _after_unknown(names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """[names + 1] codes in another vocabulary; 0 is the unknown one."""
    code = {name: n for n, name in enumerate(known, start=1)}
    return np.array([0, *(code.get(name, 0) for name in names)], np.int32)
