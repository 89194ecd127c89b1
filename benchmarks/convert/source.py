"""What a dump tells the conversion: how to read it, and what to say of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.reader import Reader

Row = dict[str, str]  # column -> value; what is missing is nothing


@dataclasses.dataclass(frozen=True)
class Source:
    """A dump whose files have been found.

    Attributes:
        event_columns: beside user, item and time, as `EventLog` takes them.
        read_events: adds all events, and counts the rows of the files.
        item_columns: beside the id.
        read_items: one row per item of the dump, with its id.
        notes: what a person should know who reads figures made from it.
        user_columns, read_users: the same of users, if the dump has any.
        min_events: of a user and of an item, unless a person says otherwise.
        split: of the trainer, that fits the dump.
    """

    event_columns: tuple[str, ...]
    read_events: Callable[[Reader, EventLog], None]
    item_columns: tuple[str, ...]
    read_items: Callable[[Reader], Iterator[Row]]
    notes: tuple[str, ...]
    user_columns: tuple[str, ...] = ()
    read_users: Callable[[Reader], Iterator[Row]] | None = None
    min_events: int = 0
    split: str = "leave_one_out"
