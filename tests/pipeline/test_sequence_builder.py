"""SequenceBuilder alone: artifacts in, artifacts out."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from local_path import NOW, read_raw, sample_data
from sequence_artifacts import Built, Inputs, build, ingested, outputs_of
from tables import ingest
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from pipeline.sequence_builder import CATALOGUE, REVIEW, SEQUENCES
from pipeline.sequences import shards
from pipeline.sequences.partition import WriteParts
from schema import features
from trainer import behaviour
from trainer.anomalies import DataError

LAST = "leave_one_out"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def inputs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return ingested(data, tmp_path_factory.mktemp("ingested"))


@pytest.fixture(scope="module")
def built(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(inputs, outputs_of(tmp_path_factory.mktemp("built")))


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_examples_tell_their_split_and_format(built: Built) -> None:
    for name in (SEQUENCES, CATALOGUE):
        artifact = built.artifacts[name]
        assert json.loads(artifact.split_names) == ["all"]
        assert examples_utils.get_payload_format(artifact) == (
            example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
        )
        assert examples_utils.get_file_format(artifact) == "tfrecords_gzip"
        assert built.records(name)


def test_every_row_is_kept_or_rejected(built: Built, data: Path) -> None:
    counts, raw = built.review["rows"], read_raw(data)
    assert set(counts) == set(raw)
    for table, count in counts.items():
        assert count["in"] == count["kept"] + count["rejected"]
        assert count["in"] == raw[table].rows_read
    assert counts[features.EVENTS]["rejected"] > 0
    assert counts[features.EVENTS]["kept"] == len(
        built.column(features.ITEM_ID)
    )
    assert counts[features.ITEMS]["kept"] == len(built.records(CATALOGUE))


def test_the_review_names_what_was_found(built: Built) -> None:
    found = built.review["anomalies"]
    assert {"unknown_item", "duplicate_event"} <= {a["name"] for a in found}
    assert set(found[0]) == {
        "name", "table", "column", "rows", "first_rows", "remedy", "severity",
    }


def test_rejects_are_files_of_the_review(built: Built) -> None:
    for table, count in built.review["rows"].items():
        files = built.folder(REVIEW).glob(f"rejects/{table}-*-of-*.csv")
        assert sum(len(rows_of(f)) - 1 for f in files) == count["rejected"]


def test_intermediate_files_are_removed(built: Built) -> None:
    assert [p for p in built.temporary.rglob("*") if p.is_file()] == []


# Spans


def _write_events(folder: Path, name: str, *rows: tuple[str, str, int]) -> None:
    lines = [f"{user},{item},{second}\n" for user, item, second in rows]
    (folder / name).write_text("user_id,item_id,timestamp\n" + "".join(lines))


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """Events of span 1, those again but for one, events of span 2; items."""
    data = tmp_path_factory.mktemp("spans")
    _write_events(data, "1.csv", ("u", "a", 10), ("v", "a", 20))
    _write_events(data, "again.csv", ("v", "a", 20))
    _write_events(data, "2.csv", ("w", "b", 30), ("v", "b", 40))
    (data / "items.csv").write_text("item_id,title\na,A\nb,B\n")
    found = {}
    for number, (name, span) in enumerate(
        [("2", 2), ("again", 1), ("1", 1)], start=1
    ):
        found[name] = ingest(data, f"{name}.csv", "events", data / f"e{name}")
        found[name].set_int_custom_property("span", span)
        found[name].id = number
    found["items"] = ingest(data, "items.csv", "items", data / "items")
    return found


def _of_spans(spans: dict[str, Artifact], *names: str) -> Inputs:
    return {
        features.EVENTS: [spans[name] for name in names],
        features.ITEMS: [spans["items"]],
    }


def test_spans_are_one_log_in_their_order(
    spans: dict[str, Artifact], tmp_path: Path
) -> None:
    built = build(
        _of_spans(spans, "2", "1"), outputs_of(tmp_path), split=LAST
    )
    assert built.column(features.USER_ID) == [b"u", b"v", b"w"]
    assert built.column("first_row") == [1, 2, 3]
    assert built.column(features.TIMESTAMP) == [10, 20, 40, 30]
    assert built.review["rows"]["events"]["in"] == 4


def test_of_a_span_ingested_twice_the_newest_counts(
    spans: dict[str, Artifact], tmp_path: Path
) -> None:
    newest = _of_spans(spans, "1", "2", "again")
    built = build(newest, outputs_of(tmp_path / "1"), split=LAST)
    assert built.column(features.USER_ID) == [b"u", b"v", b"w"]
    assert built.review["rows"]["events"]["in"] == 4
    spans["again"].id = 9
    built = build(newest, outputs_of(tmp_path / "2"), split=LAST)
    assert built.column(features.USER_ID) == [b"v", b"w"]
    assert built.review["rows"]["events"]["in"] == 3


def test_a_later_version_counts_whenever_it_was_ingested(
    spans: dict[str, Artifact], tmp_path: Path
) -> None:
    again = standard_artifacts.Examples()
    again.copy_from(spans["again"])
    again.id = 1
    again.set_int_custom_property("version", 2)
    built = build(
        {**_of_spans(spans, "1", "2"), features.EVENTS: [
            spans["1"], again, spans["2"]
        ]},
        outputs_of(tmp_path), split=LAST,
    )
    assert built.column(features.USER_ID) == [b"v", b"w"]


def test_examples_of_another_generator_are_counted(
    spans: dict[str, Artifact], tmp_path: Path
) -> None:
    """As BigQuery's, which know nothing of their number of rows."""
    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "examples")
    examples.split_names = json.dumps(["all"])
    (tmp_path / "examples" / "Split-all").mkdir(parents=True)
    file = str(tmp_path / "examples" / "Split-all" / "data-0.gz")
    with tf.io.TFRecordWriter(file, "GZIP") as writer:
        for user, second in (("u", 5), ("v", 6), ("", 7)):
            example = tf.train.Example()
            feature = example.features.feature
            feature["user_id"].bytes_list.value.append(user.encode())
            feature["item_id"].bytes_list.value.append(b"a")
            feature["timestamp"].int64_list.value.append(second)
            writer.write(example.SerializeToString())
    inputs = {
        features.EVENTS: [examples], features.ITEMS: [spans["items"]]
    }
    built = build(
        inputs, outputs_of(tmp_path), split=LAST, max_reject_share=0.5
    )
    assert built.review["rows"]["events"] == {
        "in": 3, "kept": 2, "rejected": 1,
    }
    assert built.column(features.TIMESTAMP) == [5, 6]


# Runs that are stopped


def stopped(
    inputs: Inputs, folder: Path, **settings: Any
) -> tuple[DataError, Built]:
    """The error of a run, whose outputs nobody may take for finished ones."""
    outputs = outputs_of(folder)
    with pytest.raises(DataError) as error:
        build(inputs, outputs, **settings)
    for name in (SEQUENCES, CATALOGUE):
        assert not outputs.artifacts[name].split_names
        assert not outputs.artifacts[name].has_custom_property(
            "payload_format"
        )
    return error.value, outputs


def names(error: DataError) -> set[str]:
    return {anomaly.name for anomaly in error.anomalies}


def test_too_many_bad_rows_stop_the_run_and_are_all_named(
    inputs: Inputs, built: Built, tmp_path: Path
) -> None:
    error, outputs = stopped(inputs, tmp_path, max_reject_share=0.0001)
    expected = {anomaly["name"] for anomaly in built.review["anomalies"]}
    assert names(error) == expected
    for name in expected:
        assert name in str(error)
    assert str(outputs.folder(REVIEW) / "rejects") in str(error)
    # What was found is there to be read.
    assert outputs.review["anomalies"] == built.review["anomalies"]


def test_the_moment_of_the_run_is_now_unless_it_is_told(
    spans: dict[str, Artifact], tmp_path: Path
) -> None:
    error, _ = stopped(_of_spans(spans, "2"), tmp_path / "1", now=20)
    assert names(error) == {"future_timestamp"}
    build(_of_spans(spans, "2"), outputs_of(tmp_path / "2"), now=0, split=LAST)


def test_lost_rows_stop_the_run(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = WriteParts.process

    def losing(self: WriteParts, table: Any) -> Iterator[Any]:
        return process(self, table.slice(3))

    monkeypatch.setattr(WriteParts, "process", losing)
    error, _ = stopped(inputs, tmp_path)
    assert names(error) == {"lost_rows"}
    assert "events" in {anomaly.table for anomaly in error.anomalies}


def _split_reversed(*arguments: Any) -> Any:
    users = _add_split(*arguments)
    place = users.column_names.index(features.SPLIT)
    lists = users[features.SPLIT].combine_chunks()
    turned = behaviour.TEST - lists.values.to_numpy()
    column = type(lists).from_arrays(lists.offsets, turned)
    return users.set_column(place, features.SPLIT, column)


_add_split = shards.add_split
_order_events = behaviour.order_events


def _ordered_by_place(events: Any) -> Any:
    """As `order_events`, were the clock running backwards."""
    ordered = _order_events(events)
    times = ordered.timestamp
    backwards = np.lexsort((-times, np.sort(events.user)))
    object.__setattr__(ordered, "timestamp", times[backwards])
    return ordered


@pytest.mark.parametrize("split", ["time", LAST])
def test_train_events_after_test_events_stop_the_run(
    split: str, inputs: Inputs, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shards, "add_split", _split_reversed)
    error, _ = stopped(inputs, tmp_path, split=split)
    assert names(error) == {"leaked_future_event"}
    assert "earlier split" in str(error)


def test_a_wrong_order_stops_the_run(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        shards.behaviour, "order_events", _ordered_by_place
    )
    error, _ = stopped(inputs, tmp_path, split=LAST)
    assert names(error) == {"leaked_future_event"}
    assert "after a later event of their user" in str(error)


def test_a_split_that_one_moment_does_not_cut_stops_the_run(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_another(users: Any, split: str, facts: Any, seed: int) -> Any:
        return _add_split(users, LAST, facts, seed)

    monkeypatch.setattr(shards, "add_split", of_another)
    error, _ = stopped(inputs, tmp_path, split="time", now=NOW)
    assert names(error) == {"leaked_future_event"}
    assert "the held-out ones begin" in str(error)
