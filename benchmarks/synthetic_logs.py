"""Logs of any size, the same every time, written in little memory.

An event's item is drawn by Zipf's law, its user evenly, and its second from
the two years that the log covers, in order as in a log.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from schema import features

EVENTS_PER_USER = 20
MAX_ITEMS = 50_000
_BLOCK = 250_000  # events written at a time
_START, _SECONDS = 1_640_995_200, 2 * 365 * 86_400  # 2022 and 2023
_TYPES = pa.array(["click", "view", "cart", "purchase"])
_SCENARIOS = pa.array(["home", "search", "mail"])
_WORDS = np.array(
    "red blue small large soft steel wooden new classic light warm plain "
    "lamp chair table shirt jacket shoe bottle knife camera phone book".split()
)


def write_logs(folder: Path, events: int) -> tuple[int, int]:
    """Writes events.csv and items.csv. Returns how many users and items."""
    users = max(1, events // EVENTS_PER_USER)
    items = min(MAX_ITEMS, users)
    rng = np.random.default_rng(events)
    _write(folder / "items.csv", iter([_items(items, rng)]))
    _write(folder / "events.csv", _events(events, users, items, rng))
    return users, items


def _write(path: Path, blocks: Iterator[pa.Table]) -> None:
    first = next(blocks)
    with csv.CSVWriter(str(path), first.schema) as writer:
        writer.write_table(first)
        for block in blocks:
            writer.write_table(block)


def _names(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add(prefix, numbers.astype(str)), pa.string())


def _items(count: int, rng: np.random.Generator) -> pa.Table:
    words = rng.choice(_WORDS, (count, 4))
    title = pa.array([" ".join(row) for row in words])
    return pa.table({
        features.ITEM_ID: _names("item-", np.arange(count)),
        features.TITLE: title,
        features.CATEGORIES: pa.array(words[:, 3]),
        features.BRAND: _names("brand-", rng.integers(0, 200, count)),
    })


def _events(
    events: int, users: int, items: int, rng: np.random.Generator
) -> Iterator[pa.Table]:
    share = 1 / np.arange(1, items + 1)
    popularity = np.cumsum(share / share.sum())
    for start in range(0, events, _BLOCK):
        count = min(_BLOCK, events - start)
        moments = np.sort(rng.random(count)) * count + start
        seconds = _START + (moments * (_SECONDS / events)).astype(np.int64)
        drawn = np.searchsorted(popularity, rng.random(count))
        yield pa.table({
            features.USER_ID: _names("user-", rng.integers(0, users, count)),
            features.ITEM_ID: _names("item-", drawn.clip(max=items - 1)),
            features.TIMESTAMP: pa.array(seconds),
            features.EVENT_TYPE: _TYPES.take(
                pa.array(rng.choice(4, count, p=[0.6, 0.25, 0.1, 0.05]))
            ),
            features.SCENARIO: _SCENARIOS.take(
                pa.array(rng.integers(0, 3, count))
            ),
        })
