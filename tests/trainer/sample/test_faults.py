from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.sample.config import LAST_MOMENT
from trainer.sample.faults import PlantedAnomaly, plant_faults
from trainer.sample.tables import Table

EVENTS = 1000
ITEMS = 100


@pytest.fixture
def tables() -> dict[str, Table]:
    return {
        "events": {
            "user_id": [f"u{n % 90}" for n in range(EVENTS)],
            "item_id": [f"i{n % ITEMS}" for n in range(EVENTS)],
            "timestamp": [1_700_000_000 + n for n in range(EVENTS)],
            "rating": [None] * EVENTS,
            "split": ["train"] * EVENTS,
        },
        "items": {
            "item_id": [f"i{n}" for n in range(ITEMS)],
            "title": [f"title {n}" for n in range(ITEMS)],
            "description": [f"text {n}" for n in range(ITEMS)],
        },
    }


def rows_of(table: Table) -> list[tuple[Any, ...]]:
    return list(zip(*table.values(), strict=True))


def plant(
    tables: dict[str, Table], share: float
) -> tuple[dict[str, Table], list[PlantedAnomaly], list[PlantedAnomaly]]:
    return plant_faults(tables, share, np.random.default_rng(0))


def test_no_share_leaves_the_tables_alone(tables: dict[str, Table]) -> None:
    assert plant(tables, 0.0) == (tables, [], [])


def test_the_asked_share_of_rows_is_added(tables: dict[str, Table]) -> None:
    faulty, anomalies, _ = plant(tables, 0.1)
    assert len(faulty["events"]["user_id"]) == EVENTS + 100
    assert len(faulty["items"]["item_id"]) == ITEMS + 10
    counts = {table: 0 for table in ("events", "items")}
    for anomaly in anomalies:
        counts[anomaly.table] += anomaly.rows
    assert counts == {"events": 100, "items": 10}


def test_a_table_too_small_for_a_share_gets_no_bad_row(
    tables: dict[str, Table],
) -> None:
    faulty, _, _ = plant(tables, 0.005)
    assert len(faulty["events"]["user_id"]) == EVENTS + 5
    assert len(faulty["items"]["item_id"]) == ITEMS


def test_all_good_events_stay_in_order(tables: dict[str, Table]) -> None:
    faulty, _, _ = plant(tables, 0.1)
    clean = rows_of(tables["events"])
    kept = iter(rows_of(faulty["events"]))
    assert all(row in kept for row in clean)


def test_the_input_is_not_changed(tables: dict[str, Table]) -> None:
    before = {name: rows_of(table) for name, table in tables.items()}
    plant(tables, 0.2)
    after = {name: rows_of(table) for name, table in tables.items()}
    assert after == before


def is_int(value: Any) -> bool:
    return isinstance(value, int)


def bad_events(events: Table) -> dict[str, list[int]]:
    """Bad rows found by reading them, one-based, by kind."""
    found: dict[str, list[int]] = {}
    seen: set[tuple[Any, ...]] = set()
    for number, row in enumerate(rows_of(events), start=1):
        user, item, moment, rating, split = row
        kinds = {
            "missing_id": not user,
            "unparsable_timestamp": not is_int(moment),
            "negative_timestamp": is_int(moment) and moment < 0,
            "future_timestamp": is_int(moment) and moment > LAST_MOMENT,
            "duplicate_event": row in seen,
            "unknown_item": item not in {f"i{n}" for n in range(ITEMS)},
            "bad_rating": rating is not None,
            "unknown_split": split != "train",
        }
        for kind in (name for name, is_bad in kinds.items() if is_bad):
            found.setdefault(kind, []).append(number)
        seen.add(row)
    return found


def test_bad_events_are_where_the_truth_says(
    tables: dict[str, Table],
) -> None:
    faulty, anomalies, _ = plant(tables, 0.1)
    found = bad_events(faulty["events"])
    assert len(found) == 8
    assert {
        a.name: (a.rows, a.first_rows)
        for a in anomalies
        if a.table == "events"
    } == {
        name: (len(rows), tuple(rows[:5])) for name, rows in found.items()
    }


def test_bad_items_are_where_the_truth_says(
    tables: dict[str, Table],
) -> None:
    faulty, anomalies, _ = plant(tables, 0.3)
    found: dict[str, list[int]] = {
        "missing_id": [], "duplicate_item": [], "conflicting_item": []
    }
    first: dict[str, tuple[Any, ...]] = {}
    for number, row in enumerate(rows_of(faulty["items"]), start=1):
        if not row[0]:
            found["missing_id"].append(number)
        elif row[0] in first:
            is_same = first[row[0]] == row
            kind = "duplicate_item" if is_same else "conflicting_item"
            found[kind].append(number)
        else:
            first[row[0]] = row
    assert {
        a.name: (a.rows, a.first_rows) for a in anomalies if a.table == "items"
    } == {name: (10, tuple(rows[:5])) for name, rows in found.items()}


def test_odd_texts_keep_the_text_they_were_made_from(
    tables: dict[str, Table],
) -> None:
    faulty, _, odd = plant(tables, 0.01)
    items = faulty["items"]
    assert [(a.name, a.first_rows) for a in odd] == [
        ("long_text", (1,)), ("control_characters", (2,)), ("emoji", (3,)),
    ]
    assert len(items["description"][0].encode()) >= 1_000_000
    assert items["description"][0].startswith("text 0 text 0")
    assert "\x07" in items["title"][1]
    assert "title 1" in items["title"][1]
    assert "🎉" in items["title"][2]
    assert "title 2" in items["title"][2]
