"""Faults planted in clean sample data, each caught by its name.

A fault is caught at the first door that can see it: `ingest` reads columns,
`gate` reads statistics, beside those of the clean data as the previous span,
and `rows` judges row by row: SequenceBuilder, and the local path beside it.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from sequence_artifacts import build, ingested, outputs_of
from tables import compared, gated, ingest, statistics_of, validated

from pipeline.ingest import anomaly_of
from trainer.anomalies import Anomaly, DataError
from trainer.config import DataConfig
from trainer.sample.__main__ import main
from trainer.tables import load_dataset

NOW = 1_800_000_000
TABLES = ("events", "items", "users")
Rows = list[dict[str, str]]
Tables = dict[str, Rows]


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is planted, which door sees it, and by which name."""

    name: str
    plant: Callable[[Tables], None]
    door: str
    caught: tuple[str, str, str]  # anomaly, table, column


def _rename(table: str, old: str, new: str) -> Callable[[Tables], None]:
    def plant(tables: Tables) -> None:
        for row in tables[table]:
            row[new] = row.pop(old)

    return plant


def _set(
    table: str, column: str, value: Callable[[str], str], every: int = 1
) -> Callable[[Tables], None]:
    def plant(tables: Tables) -> None:
        for row in tables[table][::every]:
            row[column] = value(row[column])

    return plant


def _repeat_events(tables: Tables) -> None:
    events = tables["events"]
    events += [dict(row) for row in events[: len(events) * 3 // 10]]


def _double_catalogue(tables: Tables) -> None:
    tables["items"] += [
        {**row, "item_id": f"copy-{row['item_id']}"} for row in tables["items"]
    ]


def _drop_scenario(tables: Tables) -> None:
    gone = tables["events"][0]["scenario"]
    tables["events"] = [
        row for row in tables["events"] if row["scenario"] != gone
    ]


FAULTS = [
    Fault(
        "renamed column", _rename("events", "user_id", "userId"), "ingest",
        ("missing_column", "events", "user_id"),
    ),
    Fault(
        "changed type",
        _set("events", "timestamp", lambda _: "2023-10-03 10:00:00"), "gate",
        ("missing_values", "events", "timestamp"),
    ),
    Fault(
        "missing user ids", _set("events", "user_id", lambda _: "", 20), "gate",
        ("missing_values", "events", "user_id"),
    ),
    Fault(
        "doubled catalogue", _double_catalogue, "gate",
        ("row_count_drift", "items", ""),
    ),
    Fault(
        "vocabulary shift", _set("items", "brand", lambda brand: f"{brand}-2"),
        "gate", ("drift", "items", "brand"),
    ),
    Fault(
        "vanished scenario", _drop_scenario, "gate",
        ("vanished_value", "events", "scenario"),
    ),
    Fault(
        "future timestamps",
        _set("events", "timestamp", lambda text: text + "000", 2), "rows",
        ("future_timestamp", "events", "timestamp"),
    ),
    Fault(
        "duplicate events", _repeat_events, "rows",
        ("duplicate_event", "events", ""),
    ),
    Fault(
        "e-mail in items",
        _set("items", "description", lambda text: f"{text} a@example.com", 9),
        "rows", ("pii_email", "items", "description"),
    ),
    Fault(
        "phone in profiles",
        _set("users", "profile", lambda text: f"{text} +44 20 7946 0958", 9),
        "rows", ("pii_phone", "users", "profile"),
    ),
]


def _read(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    main([str(folder), "--users", "250", "--items", "130"])
    return folder


@pytest.fixture(scope="session")
def clean(sample, tmp_path_factory):
    """Statistics of the clean tables."""
    folder = tmp_path_factory.mktemp("clean")
    return {
        table: statistics_of(
            ingest(sample, f"{table}.csv", table, folder / table),
            folder / f"{table}-statistics",
        )
        for table in TABLES
    }


def _at_gate(statistics, clean, folder: Path) -> list[dict]:
    inputs = {}
    for table, found in statistics.items():
        inputs[f"{table}_anomalies"] = validated(found, table, folder / table)
        inputs[f"{table}_drift"] = compared(
            found, table, folder / table, previous_statistics=[clean[table]]
        )
    return gated(inputs, folder)


def _through_doors(
    fault: Fault, data_dir: Path, clean, folder: Path
) -> list[Anomaly]:
    """What the fault's door finds."""
    if fault.door == "rows":
        return _by_sequence_builder(data_dir, folder)
    table = fault.caught[1]
    examples = ingest(data_dir, f"{table}.csv", table, folder / table)
    statistics = {table: statistics_of(examples, folder / "statistics")}
    _at_gate(statistics, clean, folder)
    return []


def _by_sequence_builder(data_dir: Path, folder: Path) -> list[Anomaly]:
    """What is in its review; the local path finds the same in the rows."""
    built = build(
        ingested(data_dir, folder), outputs_of(folder / "built"), now=NOW,
        max_reject_share=1.0,
    )
    found = [anomaly_of(values) for values in built.review["anomalies"]]
    local = load_dataset(
        str(data_dir), DataConfig(max_reject_share=1.0),
        rejects_dir=folder / "rejects", now=NOW,
    ).anomalies
    assert _counts(found) == _counts(local)
    return found


def _counts(anomalies) -> set[tuple]:
    return {(a.name, a.table, a.column, a.rows) for a in anomalies}


def _names(anomalies) -> set[tuple[str, str, str]]:
    return {(a.name, a.table, a.column) for a in anomalies}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught_by_its_name(fault, sample, clean, tmp_path):
    tables = {name: _read(sample / f"{name}.csv") for name in TABLES}
    assert all(tables.values())
    fault.plant(tables)
    for name, rows in tables.items():
        _write(tmp_path / f"{name}.csv", rows)
    if fault.door == "rows":
        caught = _names(_through_doors(fault, tmp_path, clean, tmp_path / "o"))
    else:
        with pytest.raises(DataError) as error:
            _through_doors(fault, tmp_path, clean, tmp_path / "o")
        caught = _names(error.value.anomalies)
    assert fault.caught in caught


def test_clean_data_passes_every_door(sample, clean, tmp_path):
    assert _at_gate(clean, clean, tmp_path) == []
    found = _by_sequence_builder(sample, tmp_path / "o")
    assert {name for name, _, _ in _names(found)} <= {"single_event_user"}
