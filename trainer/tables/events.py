"""The events table: who did what to which item, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from schema import features
from trainer.tables.column_values import codes, is_repeat
from trainer.tables.event_columns import (
    check_event_types,
    check_items,
    check_positions,
    check_ratings,
    check_splits,
    check_timestamps,
)
from trainer.tables.private_text import note_private_text
from trainer.tables.review import Review

_NUMBERS = (features.TIMESTAMP, features.POSITION, features.RATING)


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
        texts: distinct texts of the events, by first appearance.
        text: [events] int32 places in them; None where they are not read.
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
    texts: list[str] = dataclasses.field(default_factory=list)
    text: np.ndarray | None = None


def _reject_duplicates(
    review: Review, seconds: np.ndarray, rating: np.ndarray | None
) -> None:
    """Rejects rows that repeat all an earlier row says, position aside.

    Numbers are compared as numbers: "4" and "4.0" are one rating.
    """
    table = review.table
    same = [
        codes(table.column(name))[1]
        for name in features.COLUMNS[features.EVENTS]
        if name in table.columns and name not in _NUMBERS
    ]
    if rating is not None:
        # Kept rows have no infinite rating, so it can stand for none.
        same.append(np.where(np.isnan(rating), np.inf, rating))
    # No event has this time, so none repeats a rejected one.
    times = np.where(review.is_kept, seconds, -1)
    review.reject(
        "duplicate_event", "", is_repeat([*same, times]),
        "the same event is there before; remove one of them.",
    )


def _note_single_events(review: Review) -> None:
    user_ids, user = codes(review.table.column(features.USER_ID))
    counts = np.bincount(user[review.is_kept], minlength=len(user_ids))
    is_single = counts[user] == 1
    review.note(
        "single_event_user", features.USER_ID, is_single, "nothing comes "
        "after the one event of these users, so they are no one's target.",
    )


def check_events(
    review: Review,
    item_ids: Sequence[str],
    now: int,
    *,
    reads_text: bool = False,
) -> Events:
    """Checks every row and returns the good ones.

    Args:
        review: of the events table.
        item_ids: of the items that passed their checks.
        now: unix seconds; later events are rejected.
        reads_text: whether the events' texts are wanted.
    """
    review.require_id(features.USER_ID)
    review.require_id(features.ITEM_ID)
    seconds = check_timestamps(review, now)
    position = check_positions(review)
    rating = check_ratings(review)
    split = check_splits(review)
    item = check_items(review, item_ids)
    _reject_duplicates(review, seconds, rating)
    note_private_text(review, [features.TEXT])
    _note_single_events(review)
    types, event_type = codes(review.kept(check_event_types(review)))
    user_ids, user = codes(review.kept(review.table.column(features.USER_ID)))
    scenarios, scenario = codes(
        review.kept(
            pc.utf8_trim_whitespace(review.table.column(features.SCENARIO))
        )
    )
    texts, text = list[str](), None
    if reads_text:
        texts, text = codes(review.kept(review.text(features.TEXT)))
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
        texts=texts,
        text=text,
    )
