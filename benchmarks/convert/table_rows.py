"""Rows of the tables as text, made block by block while they are written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from benchmarks.convert.event_log import EventLog
from schema import features

_EVENTS_PER_BLOCK = 1 << 16
_LISTS = {
    features.EVENT_TYPE: features.EVENT_TYPES,
    features.SPLIT: features.SPLITS,
}


def _texts(name: str, values: np.ndarray) -> list[str]:
    if name == features.RATING:
        return [f"{value:g}" for value in values.tolist()]
    if name in _LISTS:
        return [_LISTS[name][value] for value in values.tolist()]
    return [str(value) for value in values.tolist()]


def event_rows(log: EventLog, is_kept: np.ndarray) -> Iterator[tuple[str, ...]]:
    """The kept events in the order of the log, under a progress bar.

    Args:
        log: all events.
        is_kept: [events] bool.

    Yields:
        ids of user and item, then the other columns of the log.
    """
    columns = log.columns()
    names = {features.USER_ID: [*log.users], features.ITEM_ID: [*log.items]}
    kept = np.flatnonzero(is_kept)
    with tqdm(
        total=len(kept), desc="events", unit=" rows", unit_scale=True,
        leave=False, mininterval=1.0,
    ) as bar:
        for start in range(0, len(kept), _EVENTS_PER_BLOCK):
            rows = kept[start : start + _EVENTS_PER_BLOCK]
            texts = (
                [names[name][code] for code in values[rows].tolist()]
                if name in names
                else _texts(name, values[rows])
                for name, values in columns.items()
            )
            yield from zip(*texts, strict=True)
            bar.update(len(rows))
