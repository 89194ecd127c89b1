from __future__ import annotations

import dataclasses
import glob
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import PipelineConfig, find_sources
from schema import features
from trainer.anomalies import DataError
from trainer.config import DataConfig, RunConfig
from trainer.tables.files import find_files


def config(**changes: Any) -> PipelineConfig:
    fields: dict[str, Any] = {
        "run": RunConfig(),
        "sources": {"items": "items.csv", "events": "events.csv"},
        "data_dir": "logs",
        "pipeline_root": "root",
        "serving_dir": "root/serving",
    }
    return PipelineConfig(**{**fields, **changes})


def folder_of(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return str(folder)


@pytest.mark.parametrize(
    "names",
    [
        ["events.csv"],
        ["events.csv.gz", "events-1.csv.gz"],
        ["events-1.csv", "events-2.csv"],
        ["events-1.csv", "events-11.csv"],  # one name begins another
        ["events-1.csv.gz", "events-2.csv.gz", "events-1.bak"],
        ["events/1.parquet", "events/31.parquet", "events/notes.txt"],
        ["events/part.csv"],
        ["events-a.tfrecord.gz", "events-a.tfrecord.gz.tfrecord.gz"],
    ],
)
def test_patterns_find_the_files_that_the_local_path_finds(
    names: list[str], tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, *names, "items.csv")
    source = find_sources(folder, DataConfig())[features.EVENTS]
    found = sorted(glob.glob(str(tmp_path / source)))
    files = find_files(features.EVENTS, tmp_path, None)
    assert found == sorted(map(str, files))


def test_optional_tables_are_there_or_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "events.csv", "items.csv", "users.csv")
    assert find_sources(folder, DataConfig()) == {
        "events": "events.csv", "items": "items.csv", "users": "users.csv",
    }


def test_a_setting_is_taken_from_here_or_else_from_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path / "data", "items.csv", "log.csv")
    folder_of(tmp_path, "here.csv")
    monkeypatch.chdir(tmp_path)

    def events(setting: str) -> str:
        return find_sources(folder, DataConfig(events=setting))["events"]

    assert events("here.csv") == str(tmp_path / "here.csv")
    assert events("log.csv") == "log.csv"
    assert events("events/{SPAN}/*.csv") == "events/{SPAN}/*.csv"
    assert events("bigquery:SELECT 1") == "bigquery:SELECT 1"


def test_a_bucket_is_not_looked_into() -> None:
    data = DataConfig(items="i-*.csv")
    assert find_sources("gs://bucket/logs", data) == {
        "events": "events.csv", "items": "i-*.csv",
    }


@pytest.mark.parametrize("table", features.REQUIRED_TABLES)
def test_a_missing_table_is_named(table: str, tmp_path: Path) -> None:
    (other,) = set(features.REQUIRED_TABLES) - {table}
    folder = folder_of(tmp_path, f"{other}.csv")
    with pytest.raises(DataError, match=f"missing_table.*{table}.csv"):
        find_sources(folder, DataConfig())


@pytest.mark.parametrize("table", features.REQUIRED_TABLES)
def test_a_pipeline_without_a_required_table_is_refused(table: str) -> None:
    sources = {**config().sources}
    del sources[table]
    with pytest.raises(ValueError, match=f"no source for {table}; .*--{table}"):
        config(sources=sources)


@pytest.mark.parametrize(
    "changes", [{"window_spans": 0}, {"tuner_trials": -1}]
)
def test_numbers_out_of_range_are_refused(changes: dict[str, int]) -> None:
    (value,) = changes.values()
    with pytest.raises(ValueError, match=f"got .*{value}"):
        config(**changes)


def test_tables_are_in_the_order_of_the_contract() -> None:
    sources = {"users": "u.csv", **config().sources}
    assert config(sources=sources).tables == [
        name for name in features.COLUMNS if name in sources
    ]


@pytest.mark.parametrize(
    ("events", "has_spans"),
    [
        ("events.csv", False),
        ("events/{SPAN}/*.csv", True),
        ("events/{SPAN:3}/*.csv", True),
        ("events/{YYYY}-{MM}-{DD}/*.csv", True),
    ],
)
def test_spans_are_told_by_the_pattern_of_the_events(
    events: str, has_spans: bool
) -> None:
    sources = {"events": events, "items": "items/{SPAN}.csv"}
    assert config(sources=sources).has_spans is has_spans


def test_a_config_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        config().name = "another"  # type: ignore[misc]
