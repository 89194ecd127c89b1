"""Items that a person or a shop's system adds, checked at the door."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from schema import features
from serving.live.journal import ADD, REMOVE, Record

_TEXTS = features.ITEM_TEXT_COLUMNS
_KNOWN = features.COLUMNS[features.ITEMS]
_TITLE_LENGTH = 80  # of an item without a title: the start of its text


class ItemError(ValueError):
    """An item that cannot be added or removed, and why."""


def added(rows: Iterable[Mapping[str, Any]], source: str) -> list[Record]:
    """Records of items that come.

    Args:
        rows: columns of the items table by name; `price` is not read.
        source: where they come from, for messages.

    Raises:
        ItemError: naming row and column of the first one that is wrong; no
            item at all is wrong too.
    """
    records = [
        _record(row, f"{source}, row {number}")
        for number, row in enumerate(rows, 1)
    ]
    if not records:
        raise ItemError(f"{source} has no items.")
    seen: dict[str, int] = {}
    for number, record in enumerate(records, 1):
        if record.item_id in seen:
            raise ItemError(
                f"{source}, row {number}: item {record.item_id!r} stands in "
                f"row {seen[record.item_id]} too; keep one of them."
            )
        seen[record.item_id] = number
    return records


def removed(item_ids: Sequence[str]) -> list[Record]:
    """Records of items that go.

    Raises:
        ItemError: for an id that cannot be one.
    """
    return [
        Record(REMOVE, _item_id({features.ITEM_ID: each}, "item ids"))
        for each in item_ids
    ]


def read(path: Path) -> list[Record]:
    """Records of a table of items, CSV with a header or JSON lines.

    Raises:
        ItemError: as `added`, or if the file is neither.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".csv":
                return added(csv.DictReader(file), str(path))
            if path.suffix == ".jsonl":
                lines = (line for line in file if line.strip())
                return added(map(json.loads, lines), str(path))
    except (csv.Error, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ItemError(f"{path} cannot be read: {error}") from error
    except OSError as error:
        raise ItemError(f"{path}: {error.strerror}.") from error
    raise ItemError(f"{path} must end in .csv or .jsonl.")


def texts(record: Record) -> dict[str, str]:
    """All of the columns that make an item's text, "" where missing."""
    return {name: record.columns.get(name, "") for name in _TEXTS}


def title(record: Record) -> str:
    """What to show to a person."""
    named = record.columns.get(features.TITLE, "")
    return named or ". ".join(record.columns.values())[:_TITLE_LENGTH]


def first_category(record: Record) -> str:
    """First level of the first category path, "" for none."""
    paths = record.columns.get(features.CATEGORIES, "")
    level = features.CATEGORY_LEVEL_SEPARATOR
    names = paths.replace(features.CATEGORY_PATH_SEPARATOR, level).split(level)
    return next((name.strip() for name in names if name.strip()), "")


def _record(row: Mapping[str, Any], where: str) -> Record:
    if not isinstance(row, Mapping):
        raise ItemError(f"{where}: expected an object of columns, got {row!r}.")
    unknown = [name for name in row if name not in _KNOWN]
    if unknown:
        raise ItemError(
            f"{where}: unknown column {unknown[0]!r}; an item has "
            f"{', '.join(_KNOWN)}."
        )
    columns = {
        name: _text(row[name], name, where) for name in _TEXTS if row.get(name)
    }
    columns = {name: text for name, text in columns.items() if text}
    if not any(name in columns for name in features.CONTENT_COLUMNS):
        raise ItemError(
            f"{where}: no text; an item needs at least one of "
            f"{', '.join(features.CONTENT_COLUMNS)}."
        )
    return Record(
        ADD, _item_id(row, where), columns, _available_from(row, where)
    )


def _item_id(row: Mapping[str, Any], where: str) -> str:
    item_id = _text(row.get(features.ITEM_ID) or "", features.ITEM_ID, where)
    if not item_id:
        raise ItemError(f"{where}: {features.ITEM_ID} is missing or empty.")
    return item_id


def _text(value: Any, column: str, where: str) -> str:
    if not isinstance(value, str):
        raise ItemError(f"{where}: {column} must be text, got {value!r}.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ItemError(f"{where}: {column} is no text: {error}") from error
    return value.strip()


def _available_from(row: Mapping[str, Any], where: str) -> int:
    value = row.get(features.AVAILABLE_FROM) or 0
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds < 2**63:
        raise ItemError(
            f"{where}: {features.AVAILABLE_FROM} must be unix seconds, 0 or "
            f"more, got {value!r}."
        )
    return seconds
