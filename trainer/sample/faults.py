"""Adds bad rows and odd texts to clean sample tables, and says which.

A bad row is an extra one made from a good one, so that a reader that sets the
bad rows aside is left with the clean tables. An odd text is a good text with
something added, so that it still tells its topic.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from schema import features
from trainer.anomalies import FIRST_ROWS
from trainer.sample.config import Array
from trainer.sample.tables import Table

Row = dict[str, Any]
Fault = Callable[[Row], Row]

_CENTURY = 100 * 365 * 86_400  # seconds


def _with(column: str, change: Callable[[Any], Any]) -> Fault:
    """The fault of one changed value."""
    return lambda row: {**row, column: change(row[column])}


_EVENT_FAULTS: dict[str, Fault] = {
    "missing_id": _with(features.USER_ID, lambda _: ""),
    "unparsable_timestamp": _with(features.TIMESTAMP, lambda _: "yesterday"),
    "negative_timestamp": _with(features.TIMESTAMP, lambda moment: -moment),
    "future_timestamp": _with(
        features.TIMESTAMP, lambda moment: moment + 2 * _CENTURY
    ),
    "duplicate_event": dict,
    "unknown_item": _with(features.ITEM_ID, lambda item: f"no-{item}"),
    "bad_rating": _with(features.RATING, lambda _: "great"),
    "unknown_split": _with(features.SPLIT, lambda _: "holdout"),
}
_ITEM_FAULTS: dict[str, Fault] = {
    "missing_id": _with(features.ITEM_ID, lambda _: ""),
    "duplicate_item": dict,
    "conflicting_item": _with(features.TITLE, lambda title: f"not {title}"),
}
# Texts that a reader takes, but has to clean or cut.
_ODD_TEXTS: dict[str, Fault] = {
    "long_text": _with(
        features.DESCRIPTION,
        lambda text: f"{text} " * (1 + 1_000_000 // len(text.encode())),
    ),
    "control_characters": _with(
        features.TITLE, lambda title: f"\x07{title}\x1b[0m\u200b"
    ),
    "emoji": _with(features.TITLE, lambda title: f"🎁🎉 {title} 👍🏽"),
}


@dataclasses.dataclass(frozen=True)
class PlantedAnomaly:
    """Bad rows of one kind, under the name that the data contract gives them.

    Attributes:
        name: of the anomaly.
        table: name of the table.
        rows: how many there are.
        first_rows: one-based data rows of the first of them.
    """

    name: str
    table: str
    rows: int
    first_rows: tuple[int, ...]


def _add_rows(
    name: str, table: Table, faults: dict[str, Fault], picks: Array
) -> tuple[Table, list[PlantedAnomaly]]:
    """Puts one bad row after each picked row, kinds in turn."""
    columns = list(table)
    count = len(table[columns[0]])
    kinds = [list(faults)[i % len(faults)] for i in range(len(picks))]
    fault_of = dict(zip(picks.tolist(), kinds, strict=True))
    rows: list[Row] = []
    places: dict[str, list[int]] = {kind: [] for kind in faults}
    for index in range(count):
        row = {column: table[column][index] for column in columns}
        rows.append(row)
        if index in fault_of:
            rows.append(faults[fault_of[index]](row))
            places[fault_of[index]].append(len(rows))
    anomalies = [
        PlantedAnomaly(kind, name, len(at), tuple(at[:FIRST_ROWS]))
        for kind, at in places.items()
        if at
    ]
    return {column: [row[column] for row in rows] for column in columns}, (
        anomalies
    )


def _odd_texts(items: Table) -> tuple[Table, list[PlantedAnomaly]]:
    """The items with one odd text of each kind, in the first rows."""
    items = {column: list(values) for column, values in items.items()}
    anomalies = []
    for index, (kind, fault) in enumerate(_ODD_TEXTS.items()):
        if index < len(items[features.ITEM_ID]):
            row = {column: values[index] for column, values in items.items()}
            for column, value in fault(row).items():
                items[column][index] = value
            anomalies.append(
                PlantedAnomaly(kind, features.ITEMS, 1, (index + 1,))
            )
    return items, anomalies


def plant_faults(
    tables: dict[str, Table], share: float, rng: np.random.Generator
) -> tuple[dict[str, Table], list[PlantedAnomaly], list[PlantedAnomaly]]:
    """Adds bad rows to events and items, and odd texts to items.

    Args:
        tables: clean tables by name; left as they are.
        share: bad rows added, as a share of the rows of each table (rounded
            down, so that a small table may get none); kinds take turns.
        rng: picks the good rows that the bad ones are made from.

    Returns:
        The new tables, the bad rows that were added, the odd texts.
    """
    if not share:
        return tables, [], []
    items, odd_texts = _odd_texts(tables[features.ITEMS])
    faulty = {**tables, features.ITEMS: items}
    bad_rows: list[PlantedAnomaly] = []
    for name, key, faults in (
        (features.EVENTS, features.USER_ID, _EVENT_FAULTS),
        (features.ITEMS, features.ITEM_ID, _ITEM_FAULTS),
    ):
        count = len(faulty[name][key])
        # No row with an odd text is picked: each fault has one cause.
        calm = np.arange(len(odd_texts) if name == features.ITEMS else 0, count)
        picks = rng.permutation(calm)[: int(share * count)]
        faulty[name], added = _add_rows(name, faulty[name], faults, picks)
        bad_rows += added
    return faulty, bad_rows, odd_texts
