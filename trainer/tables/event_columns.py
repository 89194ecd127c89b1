"""Checks the columns of the events table one by one.

Each function rejects the rows whose value it cannot take and returns the
values of all rows, rejected ones included, so that places never shift.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema import features
from trainer.anomalies import nearest
from trainer.tables.column_values import (
    codes,
    is_blank,
    parse_floats,
    parse_integers,
    places_in,
)
from trainer.tables.review import Review

# How often finer units go into a second.
_UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_YEAR_2000 = 946_684_800
_SHOWN_NAMES = 10  # of unknown event types, in a message
_SHOWN_CHARS = 40  # of each


def _finer_unit(timestamps: np.ndarray, now: int) -> str:
    """What the future timestamps would mean in a finer unit of time."""
    typical = float(np.median(timestamps))
    for unit, per_second in _UNITS.items():
        if _YEAR_2000 <= typical / per_second <= now:
            return (
                f" They look like {unit}: divide them by {per_second:,.0f}."
            )
    return ""


def check_timestamps(review: Review, now: int) -> np.ndarray:
    """[rows] float64 unix seconds, NaN where rejected for their text."""
    column = features.TIMESTAMP
    seconds = parse_floats(review.table.column(column))
    review.reject(
        "unparsable_timestamp", column, np.isnan(seconds),
        "write unix seconds, such as 1406073600.",
    )
    review.reject(
        "negative_timestamp", column, seconds < 0,
        "write unix seconds, counted from 1970.",
    )
    is_future = seconds > now
    unit = _finer_unit(seconds[is_future], now) if is_future.any() else ""
    review.reject(
        "future_timestamp", column, is_future,
        f"it is later than now, {now}.{unit or ' Write unix seconds.'}",
    )
    return seconds


def check_ratings(review: Review) -> np.ndarray | None:
    """[rows] float32, NaN where missing; None without the column."""
    if features.RATING not in review.table.columns:
        return None
    texts = review.table.column(features.RATING)
    # Numbers that float32 cannot hold become infinite here.
    with np.errstate(over="ignore"):
        ratings = parse_floats(texts).astype(np.float32)
    review.reject(
        "bad_rating", features.RATING,
        ~np.isfinite(ratings) & ~is_blank(texts),
        "write a number, or nothing where there is no rating.",
    )
    return ratings


def check_positions(review: Review) -> np.ndarray:
    """[rows] int64, 0 where missing."""
    texts = review.table.column(features.POSITION)
    positions, is_integer = parse_integers(texts)
    review.reject(
        "bad_position", features.POSITION, ~is_integer & ~is_blank(texts),
        "write an integer, or nothing where order does not matter.",
    )
    return positions


def check_splits(review: Review) -> np.ndarray | None:
    """[rows] places in features.SPLITS; None without the column."""
    if features.SPLIT not in review.table.columns:
        return None
    texts = pc.utf8_lower(
        pc.utf8_trim_whitespace(review.table.column(features.SPLIT))
    )
    names, places = codes(texts)
    canonical = [features.SPLIT_ALIASES.get(name, name) for name in names]
    splits = places_in(pa.array(canonical, pa.string()), features.SPLITS)
    split = splits[places]
    review.reject(
        "unknown_split", features.SPLIT, split < 0,
        f"write one of {', '.join(features.SPLITS)}.",
    )
    return split


def check_items(review: Review, item_ids: Sequence[str]) -> np.ndarray:
    """[rows] int32 places in the items table."""
    item = places_in(review.table.column(features.ITEM_ID), item_ids)
    review.reject(
        "unknown_item", features.ITEM_ID, item < 0,
        "the items table has no such item, or its row there was rejected; add "
        "it there.",
    )
    return item


def _describe_types(names: Sequence[str]) -> str:
    shown = []
    for name in names[:_SHOWN_NAMES]:
        close = nearest(name, features.EVENT_TYPES)
        hint = f" (is it {close!r}?)" if close else ""
        shown.append(f"{name[:_SHOWN_CHARS]!r}{hint}")
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} others" if rest else "")


def check_event_types(review: Review) -> pa.Array:
    """[rows] names; the default where there is none."""
    texts = pc.utf8_trim_whitespace(
        review.table.column(features.EVENT_TYPE)
    )
    texts = pc.if_else(
        pc.equal(texts, ""), features.DEFAULT_EVENT_TYPE, texts
    )
    is_unknown = places_in(texts, features.EVENT_TYPES) < 0
    names, _ = codes(texts.filter(pa.array(is_unknown & review.is_kept)))
    review.note(
        "unknown_event_type", features.EVENT_TYPE, is_unknown,
        f"{_describe_types(names)}: kept, without a strength for the ranking "
        f"head; the known ones are {', '.join(features.EVENT_TYPES)}.",
    )
    return texts
