"""The events table: who did what to which item, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema import features
from trainer.anomalies import nearest
from trainer.column_values import (
    codes,
    is_blank,
    is_repeat,
    parse_floats,
    parse_integers,
    places_in,
)
from trainer.review import Review

# How often finer units go into a second.
_UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_YEAR_2000 = 946_684_800


@dataclasses.dataclass(frozen=True)
class Events:
    """Events that passed every check, in the order of the file.

    Attributes:
        user_ids: distinct, by first appearance.
        user: [events] int32 places in `user_ids`.
        item: [events] int32 places in the ids of the items table.
        timestamp: [events] int64 unix seconds.
        position: [events] int64, 0 where absent.
        event_types: distinct names, by first appearance.
        event_type: [events] int32 places in them.
        scenarios: distinct names; [""] where there is no such column.
        scenario: [events] int32 places in them.
        rating: [events] float32, NaN where missing; None without the column.
        split: [events] object, one of features.SPLITS; None without it.
    """

    user_ids: list[str]
    user: np.ndarray
    item: np.ndarray
    timestamp: np.ndarray
    position: np.ndarray
    event_types: list[str]
    event_type: np.ndarray
    scenarios: list[str]
    scenario: np.ndarray
    rating: np.ndarray | None
    split: np.ndarray | None


def _finer_unit(timestamps: np.ndarray, now: int) -> str:
    """What the future timestamps would mean in a finer unit of time."""
    typical = float(np.median(timestamps))
    for unit, per_second in _UNITS.items():
        if _YEAR_2000 <= typical / per_second <= now:
            return (
                f" They look like {unit}: divide them by {per_second:,.0f}."
            )
    return ""


def _check_timestamps(review: Review, now: int) -> np.ndarray:
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


def _check_ratings(review: Review) -> np.ndarray | None:
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


def _check_positions(review: Review) -> np.ndarray:
    """[rows] int64, 0 where missing."""
    texts = review.table.column(features.POSITION)
    positions, is_integer = parse_integers(texts)
    review.reject(
        "bad_position", features.POSITION, ~is_integer & ~is_blank(texts),
        "write an integer, or nothing where order does not matter.",
    )
    return positions


def _check_splits(review: Review) -> np.ndarray | None:
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


def _check_items(review: Review, item_ids: Sequence[str]) -> np.ndarray:
    """[rows] int32 places in the items table."""
    item = places_in(review.table.column(features.ITEM_ID), item_ids)
    review.reject(
        "unknown_item", features.ITEM_ID, item < 0,
        "the items table has no such item, or its row there was rejected; add "
        "it there.",
    )
    return item


def _event_types(review: Review) -> pa.Array:
    """[rows] names; the default where there is none."""
    texts = pc.utf8_trim_whitespace(
        review.table.column(features.EVENT_TYPE)
    )
    texts = pc.if_else(
        pc.equal(texts, ""), features.DEFAULT_EVENT_TYPE, texts
    )
    is_unknown = places_in(texts, features.EVENT_TYPES) < 0
    names, _ = codes(texts.filter(pa.array(is_unknown & review.is_kept)))
    shown = []
    for name in names[:10]:
        close = nearest(name, features.EVENT_TYPES)
        shown.append(f"{name!r}" + (f" (is it {close!r}?)" if close else ""))
    review.note(
        "unknown_event_type", features.EVENT_TYPE, is_unknown,
        f"{', '.join(shown)}{', ...' if len(names) > 10 else ''}: kept, "
        "without a strength for the ranking head; the known ones are "
        f"{', '.join(features.EVENT_TYPES)}.",
    )
    return texts


def _reject_duplicates(review: Review, seconds: np.ndarray) -> None:
    """Rejects rows that repeat all an earlier row says, position aside."""
    table = review.table
    same = [
        codes(table.column(name))[1]
        for name in features.COLUMNS[features.EVENTS]
        if name in table.columns
        and name not in (features.TIMESTAMP, features.POSITION)
    ]
    # A rejected row repeats none and is repeated by none.
    out = np.where(review.is_kept, -1, np.arange(len(table)))
    times = np.where(review.is_kept, seconds, -1).astype(np.int64)
    review.reject(
        "duplicate_event", "", is_repeat([*same, times, out]),
        "the same event is there before; remove one of them.",
    )


def _note_single_events(review: Review) -> None:
    users = codes(review.table.column(features.USER_ID))[1]
    counts = np.bincount(users[review.is_kept], minlength=users.max(initial=0))
    is_single = counts[users] == 1 if len(users) else np.zeros(0, bool)
    review.note(
        "single_event_user", features.USER_ID, is_single, "nothing comes "
        "after the one event of these users, so they are no one's target.",
    )


def check_events(review: Review, item_ids: Sequence[str], now: int) -> Events:
    """Checks every row and returns the good ones.

    Args:
        review: of the events table.
        item_ids: of the items that passed their checks.
        now: unix seconds; later events are rejected.
    """
    review.require_id(features.USER_ID)
    review.require_id(features.ITEM_ID)
    seconds = _check_timestamps(review, now)
    position = _check_positions(review)
    rating = _check_ratings(review)
    split = _check_splits(review)
    item = _check_items(review, item_ids)
    _reject_duplicates(review, seconds)
    _note_single_events(review)
    types, event_type = codes(review.kept(_event_types(review)))
    user_ids, user = codes(review.kept(review.table.column(features.USER_ID)))
    scenarios, scenario = codes(
        review.kept(
            pc.utf8_trim_whitespace(review.table.column(features.SCENARIO))
        )
    )
    keep = review.is_kept
    return Events(
        user_ids=user_ids,
        user=user,
        item=item[keep],
        timestamp=np.floor(seconds[keep]).astype(np.int64),
        position=position[keep],
        event_types=types,
        event_type=event_type,
        scenarios=scenarios,
        scenario=scenario,
        rating=None if rating is None else rating[keep],
        split=None
        if split is None
        else np.array(features.SPLITS, object)[split[keep]],
    )
