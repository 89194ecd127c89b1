"""The Beam graph beside the local path, on data with every bad row in it."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from local_path import (
    NOW,
    as_collections,
    read_locally,
    sample_data,
)

from pipeline.sequences import graph, shards
from pipeline.sequences.facts import read_facts, write_facts
from pipeline.sequences.steps import Plan
from pipeline.sequences.summary import TableSummary
from schema import features
from trainer.anomalies import Anomaly
from trainer.behaviour import Sequences, build_sequences
from trainer.config import DataConfig
from trainer.tables import Dataset

SPLITS = ["leave_one_out", "time", "column"]


@dataclasses.dataclass
class Built:
    """What one run of the graph wrote, and the same from the local path."""

    users: list[tf.train.Features]
    items: list[tf.train.Features]
    summaries: dict[str, TableSummary]
    spans: shards.Spans
    rejects: Path
    dataset: Dataset
    local_rejects: Path
    sequences: Sequences
    split: str

    def column(self, name: str) -> list:
        return [v for user in self.users for v in values(user, name)]


def values(record: tf.train.Features, name: str) -> list:
    feature = record.feature[name]
    found = list(getattr(feature, feature.WhichOneof("kind")).value)
    return [v.decode() if isinstance(v, bytes) else v for v in found]


def read(folder: Path, name: str) -> list[tf.train.Features]:
    files = sorted(map(str, folder.glob(f"{name}-*")))
    return [
        tf.train.Example.FromString(record).features
        for record in tf.data.TFRecordDataset(files).as_numpy_iterator()
    ]


def run(data: Path, folder: Path, split: str, options: list[str]) -> Built:
    for name in ("parts", "rejects"):
        (folder / name).mkdir(parents=True)
    config = DataConfig(split=split)
    plan = Plan(
        config, 0, NOW, 4, 3, str(folder / "parts"), str(folder / "rejects")
    )
    with beam.Pipeline(argv=options) as pipeline:
        made = graph.build(as_collections(pipeline, data, 97), plan)
        for name in ("sequences", "catalogue"):
            _ = getattr(made, name) | name >> beam.io.WriteToTFRecord(
                str(folder / name)
            )
        write_facts(made, str(folder))
    dataset = read_locally(data, config, folder / "local")
    tables = [n for n in features.COLUMNS if (folder / f"{n}.json").exists()]
    summaries, spans = read_facts(str(folder), tables)
    return Built(
        users=sorted(
            read(folder, "sequences"),
            key=lambda user: values(user, shards.FIRST_ROW),
        ),
        items=read(folder, "catalogue"),
        summaries={found.table: found for found in summaries},
        spans=spans,
        rejects=folder / "rejects",
        dataset=dataset,
        local_rejects=folder / "local",
        sequences=build_sequences(dataset.events, config, 0),
        split=split,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module", params=SPLITS)
def built(
    request: pytest.FixtureRequest,
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Built:
    return run(data, tmp_path_factory.mktemp("run"), request.param, [])


def test_users_are_those_of_the_local_path_in_its_order(built: Built) -> None:
    assert built.column(features.USER_ID) == built.dataset.events.user_ids


def test_events_are_in_the_same_order(built: Built) -> None:
    ids = built.dataset.items.ids
    items = [ids[place] for place in built.sequences.item]
    assert built.column(features.ITEM_ID) == items
    times = built.sequences.timestamp.tolist()
    assert built.column(features.TIMESTAMP) == times


def test_events_are_in_the_same_split(built: Built) -> None:
    assert len(set(built.column(features.SPLIT))) == 3
    split = built.sequences.split.tolist()
    assert built.column(features.SPLIT) == split


def test_ratings_types_and_scenarios_are_the_same(built: Built) -> None:
    events, found = built.dataset.events, built.sequences
    types = [events.event_types[code] for code in found.event_type]
    assert built.column(features.EVENT_TYPE) == types
    names = [events.scenarios[code] for code in found.scenario]
    assert built.column(features.SCENARIO) == names
    np.testing.assert_array_equal(
        np.float32(built.column(features.RATING)), found.rating
    )


def test_profiles_are_those_of_the_users_table(built: Built) -> None:
    users = built.dataset.users
    profiles = dict(zip(users.ids, users.profiles, strict=True))
    names = built.dataset.events.user_ids
    assert any(profiles.values())
    assert built.column(features.PROFILE) == [
        profiles.get(name, "") for name in names
    ]


def test_the_catalogue_has_all_good_items_and_their_train_events(
    built: Built
) -> None:
    items, found = built.dataset.items, built.sequences
    counts = np.bincount(
        found.item[found.split == 0], minlength=len(items.ids)
    )
    expected = dict(zip(items.ids, counts.tolist(), strict=True))
    assert {
        values(item, features.ITEM_ID)[0]: values(item, shards.TRAIN_EVENTS)[0]
        for item in built.items
    } == expected
    titles = dict(zip(items.ids, items.columns["title"], strict=True))
    assert titles == {
        values(item, features.ITEM_ID)[0]: values(item, features.TITLE)[0]
        for item in built.items
    }


def test_anomalies_are_those_of_the_local_path(built: Built) -> None:
    def facts(anomaly: Anomaly) -> tuple:
        return dataclasses.astuple(
            dataclasses.replace(anomaly, remedy="")
        )

    found = [a for part in built.summaries.values() for a in part.anomalies]
    assert {a.name for a in found} > {"unknown_item", "duplicate_event"}
    assert sorted(map(facts, found)) == sorted(
        map(facts, built.dataset.anomalies)
    )


def test_rows_in_are_rows_kept_and_rows_rejected(built: Built) -> None:
    for part in built.summaries.values():
        assert part.rows_read == part.rows_kept + part.rows_rejected
    events = built.summaries[features.EVENTS]
    assert events.rows_rejected > 0
    assert events.rows_kept == len(built.column(features.ITEM_ID))


def test_rejects_are_the_rows_that_the_local_path_rejects(
    built: Built
) -> None:
    def rows(files: list[Path]) -> list[list[str]]:
        lines = []
        for file in files:
            with file.open(newline="") as stream:
                lines += list(csv.reader(stream))[1:]
        return sorted(lines)

    for table in (features.EVENTS, features.ITEMS):
        found = rows(sorted(built.rejects.glob(f"{table}-*.csv")))
        local = rows([built.local_rejects / f"{table}.csv"])
        assert [line[:2] for line in found] == [line[:2] for line in local]


def test_nothing_knows_the_future(built: Built) -> None:
    assert built.spans.disordered == 0
    assert shards.leaks(built.spans, built.split) == []


def test_many_processes_write_the_same(
    data: Path, tmp_path: Path, built: Built
) -> None:
    options = [
        "--direct_running_mode=multi_processing", "--direct_num_workers=2"
    ]
    again = run(data, tmp_path, built.split, options)

    def contents(found: Built) -> list[bytes]:
        records = [*found.users, *found.items]
        return sorted(r.SerializeToString(deterministic=True) for r in records)

    assert contents(again) == contents(built)
    assert again.summaries == built.summaries
