"""Small tables on disk whose next item is known."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_csv(
    path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def write_circle(folder: Path, *, users: int, items: int, events: int) -> str:
    """Users who walk around a circle of items, one step at a time.

    Args:
        folder: where the tables go.
        users: they start at one item after the other.
        items: on the circle.
        events: of each user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(
        folder / "items.csv", ["item_id", "title"],
        ((f"i{i}", f"item {i}") for i in range(items)),
    )
    write_csv(
        folder / "events.csv", ["user_id", "item_id", "timestamp"],
        (
            (f"u{u}", f"i{(7 * u + step) % items}", 1_600_000_000 + 60 * step)
            for u in range(users)
            for step in range(events)
        ),
    )
    return str(folder)
