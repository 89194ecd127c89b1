"""From a dump whose files are found to the tables of the data contract.

Events are held as numbers; texts are streamed from file to file. The items
file is read once, or twice where items without text are dropped.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.faults import FileReport
from benchmarks.convert.kept_events import Kept, kept_events
from benchmarks.convert.output import (
    check_free,
    replaced,
    table_file,
    write_table,
)
from benchmarks.convert.reader import Reader
from benchmarks.convert.selection import Selection
from benchmarks.convert.source import Row, Source
from benchmarks.convert.table_rows import event_rows
from schema import features


@dataclasses.dataclass(frozen=True)
class Options:
    """What a person may choose.

    Attributes:
        min_events: of each user and item, repeated until stable; None for
            the dump's own default, 0 to keep all.
        keep_untexted: keep items of which nothing but the id is known.
        overwrite: replace the tables of an earlier conversion.
    """

    min_events: int | None = None
    keep_untexted: bool = True
    overwrite: bool = False


@dataclasses.dataclass(frozen=True)
class Converted:
    """What was written, and what was not.

    Attributes:
        log: all events, and the counts of rows that are none.
        kept: which events were written.
        users, items: which rows of their files were written.
        filled: text column -> items that have it.
        reports: of the raw files.
    """

    log: EventLog
    kept: Kept
    users: Selection
    items: Selection
    filled: dict[str, int]
    reports: list[FileReport]


def _selection(log: EventLog, column: str, is_kept: np.ndarray) -> Selection:
    """Rows of users or items that a kept event has."""
    ids = log.users if column == features.USER_ID else log.items
    is_wanted = np.zeros(len(ids), bool)
    is_wanted[log.columns()[column][is_kept]] = True
    return Selection(column, ids, is_wanted)


def _cells(row: Row, columns: tuple[str, ...]) -> list[str]:
    return [row.get(name, "") for name in columns]


def _item_rows(
    source: Source, reader: Reader, items: Selection,
    filled: collections.Counter[str],
) -> Iterator[list[str]]:
    """Rows of the file, then those of items that only events know."""
    columns = (features.ITEM_ID, *source.item_columns)
    for row in items.of(source.read_items(reader)):
        filled.update(name for name in source.item_columns if row.get(name))
        yield _cells(row, columns)
    for item_id in items.missing():
        yield _cells({features.ITEM_ID: item_id}, columns)


def convert(source: Source, out: Path, options: Options) -> Converted:
    """Writes all tables, or none.

    Args:
        source: the dump.
        out: folder, made if missing.
        options: what to keep.

    Raises:
        ConversionError: if OUT may not be written, a raw file is bad, or no
            event is left.
        OSError: if a file cannot be read or written.
    """
    check_free(out, options.overwrite)
    reader, log = Reader(), EventLog(source.event_columns)
    source.read_events(reader, log)
    kept = kept_events(
        source, reader, log, min_events=options.min_events,
        keep_untexted=options.keep_untexted,
    )
    users = _selection(log, features.USER_ID, kept.rows)
    items = _selection(log, features.ITEM_ID, kept.rows)
    filled = collections.Counter(dict.fromkeys(source.item_columns, 0))
    with replaced(out) as folder:
        write_table(
            folder / table_file(features.ITEMS),
            (features.ITEM_ID, *source.item_columns),
            _item_rows(source, reader, items, filled),
        )
        if source.read_users is not None:
            columns = (features.USER_ID, *source.user_columns)
            rows = users.of(source.read_users(reader))
            write_table(
                folder / table_file(features.USERS), columns,
                (_cells(row, columns) for row in rows),
            )
        write_table(
            folder / table_file(features.EVENTS), [*log.columns()],
            event_rows(log, kept.rows),
        )
    return Converted(
        log, kept, users, items, dict(filled), [*reader.reports.values()]
    )
