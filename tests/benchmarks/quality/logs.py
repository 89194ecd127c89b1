"""Small logs, made by hand and written in the data contract."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality.event_table import EventTable

Line = tuple[str, str, int]  # user, item, timestamp


def table(lines: Sequence[Line], **columns: Sequence[str]) -> EventTable:
    """Events in this order."""
    user, item, time = zip(*lines, strict=True)
    made = {
        "user_id": user,
        "item_id": item,
        "timestamp": [str(t) for t in time],
        **columns,
    }
    return EventTable({k: np.array(v, object) for k, v in made.items()})


def lines(events: EventTable) -> list[Line]:
    """User, item and timestamp of each event."""
    names = ("user_id", "item_id", "timestamp")
    rows = zip(*(events.columns[name] for name in names), strict=True)
    return [(user, item, int(time)) for user, item, time in rows]


def sequences(events: EventTable) -> dict[str, list[str]]:
    """Items of each user by (timestamp, position)."""
    position = events.columns.get("position", np.full(len(events), "0"))
    rows = sorted(
        (user, time, int(place), item)
        for (user, item, time), place in zip(
            lines(events), position, strict=True
        )
    )
    found: dict[str, list[str]] = {}
    for user, _, _, item in rows:
        found.setdefault(user, []).append(item)
    return found


def write_log(folder: Path, events: EventTable, items: Sequence[str]) -> None:
    """A folder with both tables; the title of an item is its id, in words."""
    folder.mkdir(parents=True)
    events.write(folder)
    with open(folder / "items.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "title"])
        writer.writerows([item, f"item {item}"] for item in items)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a gzipped CSV file."""
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))
