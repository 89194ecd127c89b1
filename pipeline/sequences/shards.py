"""What is done to one shard: whole users, or whole items. No Beam here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.table_batches import to_raw_table
from schema import features
from trainer import behaviour, splits
from trainer.behaviour import TEST, TRAIN, VALIDATION, OrderedEvents
from trainer.tables.events import Events, check_events
from trainer.tables.items import check_items
from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review
from trainer.tables.users import check_users

SAID_SPLIT, FIRST_ROW, ITEM_ROW = "said_split", "first_row", "row"
SESSION, TRAIN_EVENTS = "session", "train_events"


def open_review(tables: Sequence[pa.Table], name: str) -> Review | None:
    """A review of a shard's rows in the order of the files; None of none."""
    if not tables:
        return None
    rows = pa.concat_tables(tables, promote=True).combine_chunks()
    return Review(_sorted(to_raw_table(rows, name)))


def _sorted(raw: RawTable) -> RawTable:
    order = np.argsort(raw.row_numbers, kind="stable")
    return dataclasses.replace(
        raw,
        columns={
            name: values.take(pa.array(order))
            for name, values in raw.columns.items()
        },
        row_numbers=raw.row_numbers[order],
        malformed=sorted(raw.malformed),
        damaged={name: bad[order] for name, bad in raw.damaged.items()},
    )


def item_table(review: Review) -> pa.Table:
    """Checks a shard of items. Returns the good ones with their places."""
    items = check_items(review)
    columns = {
        name: pa.array(
            items.columns.get(name, [""] * len(items.ids)), pa.string()
        )
        for name in features.ITEM_TEXT_COLUMNS
    }
    return pa.table(
        {
            features.ITEM_ID: pa.array(items.ids, pa.string()),
            **columns,
            features.AVAILABLE_FROM: pa.array(items.times, pa.int64()),
            ITEM_ROW: review.table.row_numbers[review.is_kept],
        }
    )


def user_table(
    events_review: Review,
    users_review: Review | None,
    item_ids: Sequence[str],
    now: int,
    *,
    reads_text: bool = False,
) -> pa.Table:
    """Checks a shard of events and users. Returns one row per user.

    Columns: user_id, first_row (place of the user's first good event among
    all rows), profile, and lists in the user's order: item_id, timestamp,
    event_type, scenario, rating, position, session, said_split where there is
    such a column, and text where it is to be read.
    """
    events = check_events(
        events_review, item_ids, now, reads_text=reads_text
    )
    ordered = behaviour.order_events(events)
    rows = events_review.table.row_numbers[events_review.is_kept]
    _, first = np.unique(events.user, return_index=True)
    profiles: dict[str, str] = {}
    if users_review is not None:
        users = check_users(users_review)
        profiles = dict(zip(users.ids, users.profiles, strict=True))
    columns: dict[str, pa.Array] = {
        features.USER_ID: pa.array(ordered.user_ids, pa.string()),
        FIRST_ROW: pa.array(rows[first], pa.int64()),
        features.PROFILE: pa.array(
            [profiles.get(user, "") for user in ordered.user_ids], pa.string()
        ),
    }
    offsets = pa.array(ordered.starts, pa.int32())
    for name, values in _event_lists(ordered, events, item_ids).items():
        columns[name] = pa.ListArray.from_arrays(offsets, values)
    return pa.table(columns)


def _event_lists(
    ordered: OrderedEvents, events: Events, item_ids: Sequence[str]
) -> dict[str, pa.Array]:
    """[events] columns of all users, one after the other."""

    def named(names: Sequence[str], codes: np.ndarray) -> pa.Array:
        return pa.array(names, pa.string()).take(pa.array(codes))

    lists = {
        features.ITEM_ID: named(item_ids, ordered.item),
        features.TIMESTAMP: pa.array(ordered.timestamp, pa.int64()),
        features.EVENT_TYPE: named(events.event_types, ordered.event_type),
        features.SCENARIO: named(events.scenarios, ordered.scenario),
        features.RATING: pa.array(ordered.rating, pa.float32()),
        features.POSITION: pa.array(ordered.position, pa.int64()),
        SESSION: pa.array(
            behaviour.session_numbers(ordered.timestamp, ordered.is_first),
            pa.int64(),
        ),
    }
    if ordered.said_split is not None:
        lists[SAID_SPLIT] = pa.array(ordered.said_split, pa.int64())
    if ordered.text is not None:
        lists[features.TEXT] = named(events.texts, ordered.text)
    return lists


@dataclasses.dataclass(frozen=True)
class SplitFacts:
    """What a split needs to know of all users before it sees one.

    Attributes:
        validation_from, test_from: moments of split `time`.
        hold_out_limit: of split `column` without validation events, the
            largest lot of a user whose last train event is held out; -1 for
            nobody.
    """

    validation_from: float = np.inf
    test_from: float = np.inf
    hold_out_limit: int = -1


def starts_of(users: pa.Table) -> np.ndarray:
    """[users + 1] int64 first event of each user."""
    lists = users[features.TIMESTAMP].combine_chunks()
    return lists.offsets.to_numpy().astype(np.int64)


def event_values(users: pa.Table, name: str) -> np.ndarray:
    """[events] a list column, users one after the other."""
    return users[name].combine_chunks().values.to_numpy(zero_copy_only=False)


def draws_of(users: pa.Table, seed: int) -> np.ndarray:
    """[users] lots for the held-out validation of split `column`."""
    ids = users[features.USER_ID].to_pylist()
    return np.array([splits.user_draw(name, seed) for name in ids], np.int64)


def add_split(
    users: pa.Table, split_name: str, facts: SplitFacts, seed: int
) -> pa.Table:
    """The table with a list column `split` in place of what a column said."""
    starts = starts_of(users)
    if split_name == "leave_one_out":
        split = splits.leave_one_out_split(starts)
    elif split_name == "time":
        split = splits.time_split(
            event_values(users, features.TIMESTAMP),
            facts.validation_from,
            facts.test_from,
        )
    else:
        split = event_values(users, SAID_SPLIT).astype(np.int8)
        if facts.hold_out_limit >= 0:
            is_chosen = draws_of(users, seed) <= facts.hold_out_limit
            split = splits.hold_out_validation(split, starts, is_chosen)
    lists = pa.ListArray.from_arrays(
        pa.array(starts, pa.int32()), pa.array(split, pa.int64())
    )
    if SAID_SPLIT in users.column_names:
        users = users.drop([SAID_SPLIT])
    return users.append_column(features.SPLIT, lists)


def train_counts(users: pa.Table, item_ids: pa.Array) -> np.ndarray:
    """[items] int64 train events of each item."""
    is_train = event_values(users, features.SPLIT) == TRAIN
    named = users[features.ITEM_ID].combine_chunks().values
    places = pc.index_in(named, value_set=item_ids).to_numpy(
        zero_copy_only=False
    )
    return np.bincount(places[is_train], minlength=len(item_ids))


@dataclasses.dataclass(frozen=True)
class Spans:
    """When the splits of some users happened, and whether order was kept.

    Attributes:
        train_until, validation_until: last moment; -infinity for none.
        validation_from, test_from: first moment; infinity for none.
        disordered: events that stand after a later one of the same user.
        out_of_split: events of an earlier split after one of a later split.
    """

    train_until: float = -np.inf
    validation_from: float = np.inf
    validation_until: float = -np.inf
    test_from: float = np.inf
    disordered: int = 0
    out_of_split: int = 0

    def __add__(self, other: Spans) -> Spans:
        return Spans(
            max(self.train_until, other.train_until),
            min(self.validation_from, other.validation_from),
            max(self.validation_until, other.validation_until),
            min(self.test_from, other.test_from),
            self.disordered + other.disordered,
            self.out_of_split + other.out_of_split,
        )


def spans_of(users: pa.Table) -> Spans:
    """Looks at finished sequences alone, whoever made them."""
    time = event_values(users, features.TIMESTAMP)
    split = event_values(users, features.SPLIT)
    starts = starts_of(users)
    follows = np.ones(len(time), bool)
    follows[starts[:-1][np.diff(starts) > 0]] = False
    moments = {code: time[split == code] for code in (TRAIN, VALIDATION, TEST)}

    def first(code: int) -> float:
        return float(moments[code].min(initial=np.iinfo(np.int64).max))

    def last(code: int) -> float:
        return float(moments[code].max(initial=np.iinfo(np.int64).min))

    return Spans(
        last(TRAIN),
        first(VALIDATION),
        last(VALIDATION),
        first(TEST),
        int((follows & (np.diff(time, prepend=0) < 0)).sum()),
        int((follows & (np.diff(split, prepend=0) < 0)).sum()),
    )


def leaks(spans: Spans, split_name: str) -> list[str]:
    """What a model could learn of the future, in sentences; [] is good."""
    found = []
    if spans.disordered:
        found.append(
            f"{spans.disordered:,} events stand after a later event of their "
            "user"
        )
    if split_name != "column" and spans.out_of_split:
        found.append(
            f"{spans.out_of_split:,} events of an earlier split stand after "
            "one of a later split"
        )
    if split_name == "time":
        if spans.train_until >= min(spans.validation_from, spans.test_from):
            found.append(
                f"train events go on until {spans.train_until:.0f}, the "
                "held-out ones begin at "
                f"{min(spans.validation_from, spans.test_from):.0f}"
            )
        if spans.validation_until >= spans.test_from:
            found.append(
                f"validation events go on until {spans.validation_until:.0f}, "
                f"the test ones begin at {spans.test_from:.0f}"
            )
    return found
