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

from trainer.sample_config import Array
from trainer.sample_tables import Table

Row = dict[str, Any]
Fault = Callable[[Row], Row]

_FIRST_ROWS = 5
_CENTURY = 100 * 365 * 86_400  # seconds

_EVENT_FAULTS: dict[str, Fault] = {
    "missing_id": lambda row: {**row, "user_id": ""},
    "unparsable_timestamp": lambda row: {**row, "timestamp": "yesterday"},
    "negative_timestamp": lambda row: {**row, "timestamp": -row["timestamp"]},
    "future_timestamp": lambda row: {
        **row, "timestamp": row["timestamp"] + 2 * _CENTURY
    },
    "duplicate_event": dict,
    "unknown_item": lambda row: {**row, "item_id": f"no-{row['item_id']}"},
    "bad_rating": lambda row: {**row, "rating": "great"},
    "unknown_split": lambda row: {**row, "split": "holdout"},
}
_ITEM_FAULTS: dict[str, Fault] = {
    "missing_id": lambda row: {**row, "item_id": ""},
    "duplicate_item": dict,
    "conflicting_item": lambda row: {**row, "title": f"not {row['title']}"},
}
# Texts that a reader takes, but has to clean or cut.
_ODD_TEXTS: dict[str, Fault] = {
    "long_text": lambda row: {
        **row, "description": (row["description"] + " ") * _times_to_1_mb(row)
    },
    "control_characters": lambda row: {
        **row, "title": f"\x07{row['title']}\x1b[0m\u200b"
    },
    "emoji": lambda row: {**row, "title": f"🎁🎉 {row['title']} 👍🏽"},
}


def _times_to_1_mb(row: Row) -> int:
    return 1 + 1_000_000 // (1 + len(row["description"].encode()))


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
        PlantedAnomaly(kind, name, len(at), tuple(at[:_FIRST_ROWS]))
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
        if index < len(items["item_id"]):
            row = {column: values[index] for column, values in items.items()}
            for column, value in fault(row).items():
                items[column][index] = value
            anomalies.append(PlantedAnomaly(kind, "items", 1, (index + 1,)))
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
    items, odd_texts = _odd_texts(tables["items"])
    faulty = {**tables, "items": items}
    bad_rows: list[PlantedAnomaly] = []
    for name, key, faults in (
        ("events", "user_id", _EVENT_FAULTS),
        ("items", "item_id", _ITEM_FAULTS),
    ):
        count = len(faulty[name][key])
        # No row with an odd text is picked: each fault has one cause.
        calm = np.arange(len(odd_texts) if name == "items" else 0, count)
        picks = rng.permutation(calm)[: int(share * count)]
        faulty[name], added = _add_rows(name, faulty[name], faults, picks)
        bad_rows += added
    return faulty, bad_rows, odd_texts
