"""Spans of a log that arrive one after the other, and what may go wrong."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from pipeline.local_runner import main
from serving import versions
from serving.manifest import Manifest
from trainer.sample.__main__ import main as write_sample
from trainer.search_space import SEARCH_SPACE

pytestmark = pytest.mark.e2e

SPANS = 3
# Two epochs of the smoke preset are worth no threshold.
KEEP_ALL = {
    "over_baselines": {}, "max_fall": {}, "max_forgetting": {},
    "min_index_recall": None, "max_ranking_rmse": 1.0,
}
UNREACHABLE = {"at_least": {"recall@10": 0.999}}
_INPUT = metadata_store_pb2.Event.INPUT
# What libraries tell their developers.
_CHATTER = re.compile(
    r"^[IWE]\d{4} |WARN|Warning|Input resolution error|All the layers|"
    r"All model checkpoint|op_level_cost_estimator|Traceback",
    re.MULTILINE,
)
Row = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@dataclasses.dataclass
class Log:
    """A sample log cut in time, and a pipeline that is run as it grows."""

    data: Path
    root: Path
    spans: list[list[Row]]
    items: list[Row]

    def arrive(self, number: int) -> None:
        """Writes a span and the items that are known by then."""
        write_csv(
            self.data / f"events/span-{number}/events.csv",
            self.spans[number - 1],
        )
        known = self.item_ids(number)
        write_csv(
            self.data / "items.csv",
            [row for row in self.items if row["item_id"] in known],
        )

    def item_ids(self, spans: int) -> set[str]:
        return {
            row["item_id"] for span in self.spans[:spans] for row in span
        }

    def artifact(self, node: str, output: str) -> Path:
        folders = (self.root / node / output).iterdir()
        return max(folders, key=lambda folder: int(folder.name))

    def content(self, node: str, output: str, file: str) -> Any:
        return json.loads((self.artifact(node, output) / file).read_text())

    def inputs(self, node: str, name: str) -> list[str]:
        """Where the last execution of a node read an input."""
        config = metadata.sqlite_metadata_connection_config(
            str(self.root / "metadata.sqlite")
        )
        with metadata.Metadata(config) as handle:
            store = handle.store
            context = store.get_context_by_type_and_name(
                "node", f"interest-towers.{node}"
            )
            executions = store.get_executions_by_context(context.id)
            last = max(execution.id for execution in executions)
            read = [
                event.artifact_id
                for event in store.get_events_by_execution_ids([last])
                if event.type == _INPUT and event.path.steps[0].key == name
            ]
            return [a.uri for a in store.get_artifacts_by_id(read)]

    def served(self) -> list[list[int]]:
        return [
            versions.versions(self.root / "serving" / name)
            for name in ("recommender", "recommender_scann")
        ]


def write_csv(file: Path, rows: list[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_csv(file: Path) -> list[Row]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    folder = tmp_path_factory.mktemp("continuous")
    data = folder / "data"
    write_sample([str(data), "--users", "150", "--items", "60"])
    events = sorted(
        read_csv(data / "events.csv"), key=lambda row: int(row["timestamp"])
    )
    (data / "events.csv").unlink()
    cuts = [len(events) * part // SPANS for part in range(SPANS + 1)]
    spans = [events[cuts[i] : cuts[i + 1]] for i in range(SPANS)]
    late = {f"i{number:04}" for number in range(10, 20)}
    spans[0] = [row for row in spans[0] if row["item_id"] not in late]
    for row in spans[2]:  # a tracker that has lost all other types
        row["event_type"] = "view"
    made = Log(data, folder / "root", spans, read_csv(data / "items.csv"))
    assert made.item_ids(1) < made.item_ids(2)
    users = [{row["user_id"] for row in span} for span in spans]
    assert users[1] - users[0] and users[0] - users[1]
    for name, content in (("keep", KEEP_ALL), ("unreachable", UNREACHABLE)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return made


class Runner:
    """`python -m pipeline.local_runner`, in this process."""

    def __init__(self, log: Log, capfd: pytest.CaptureFixture[str]) -> None:
        self._log, self._capfd = log, capfd

    def __call__(self, thresholds: str, *flags: str) -> Ran:
        folder = self._log.root.parent
        self._capfd.readouterr()
        code = main([
            "--data-dir", str(self._log.data),
            "--pipeline-root", str(self._log.root),
            "--events", "events/span-{SPAN}/events.csv",
            "--preset", "smoke", "--epochs", "2",
            "--thresholds", str(folder / f"{thresholds}.json"),
            *flags,
        ])
        found = self._capfd.readouterr()
        return Ran(code, found.out, found.err)


@pytest.fixture
def run(
    log: Log, capfd: pytest.CaptureFixture[str]
) -> Iterator[Runner]:
    yield Runner(log, capfd)


def test_the_first_span_makes_a_first_version(log: Log, run: Runner) -> None:
    log.arrive(1)
    ran = run("keep")
    assert ran.code == 0, ran.err
    assert log.served() == [[1], [1]]
    assert log.inputs("events_drift", "previous_statistics") == []
    assert log.inputs("trainer", "base_model") == []
    assert "starting from the weights" not in ran.out
    assert not _CHATTER.search(ran.out + ran.err)


def test_the_second_goes_on_from_the_first(log: Log, run: Runner) -> None:
    before = {
        (node, output): str(log.artifact(node, output))
        for node, output in (
            ("events_statistics", "statistics"),
            ("trainer", "model"),
            ("trainer", "model_run"),
        )
    }
    log.arrive(2)
    ran = run("keep")
    assert ran.code == 0, ran.err
    assert log.served() == [[1, 2], [1, 2]]

    compared = log.inputs("events_drift", "previous_statistics")
    assert compared == [before["events_statistics", "statistics"]]
    rows = log.content("sequence_builder", "table_review", "review.json")
    both = len(log.spans[0]) + len(log.spans[1])
    assert rows["rows"]["events"]["in"] == both

    model = before["trainer", "model"]
    assert log.inputs("trainer", "base_model") == [model]
    assert "starting from the weights of" in ran.out
    old = json.loads(
        (Path(before["trainer", "model_run"]) / "vocabularies.json")
        .read_text()
    )
    new = log.content("trainer", "model_run", "vocabularies.json")
    assert set(old["items"]) == log.item_ids(1)
    assert set(new["items"]) == log.item_ids(2)

    assert log.inputs("retrieval_evaluator", "baseline_model") == [model]
    found = log.content(
        "retrieval_evaluator", "evaluation", "evaluation.json"
    )
    assert found["previous"]["ndcg@10"] >= 0
    assert set(found["forgetting"]) >= {"model", "previous"}
    assert found["forgetting"]["queries"] > 0


def test_the_same_command_again_trains_nothing(
    log: Log, run: Runner
) -> None:
    ran = run("keep")
    assert ran.code == 0, ran.err
    assert not re.search(r"^epoch \d", ran.out, re.MULTILINE)
    assert log.served() == [[1, 2], [1, 2]]


def test_a_span_that_drifted_stops_at_the_gate_every_time(
    log: Log, run: Runner
) -> None:
    accepted = str(log.artifact("events_statistics", "statistics"))
    log.arrive(3)
    for _ in range(2):  # giving the command again is no remedy
        ran = run("keep")
        assert ran.code == 1
        compared = log.inputs("events_drift", "previous_statistics")
        assert compared == [accepted]
        assert "data_gate failed" in ran.err
        assert "vanished_value" in ran.err and "'click'" in ran.err
        assert "drift" in ran.err and "allow" in ran.err
        assert not _CHATTER.search(ran.out + ran.err)
        assert log.served() == [[1, 2], [1, 2]]


def test_a_gate_that_fails_leaves_what_is_served_and_says_why(
    log: Log, run: Runner
) -> None:
    ran = run("unreachable", "--allow-drift", "--tuner-trials", "2")
    assert ran.code == 0, ran.err
    rows = log.content("sequence_builder", "table_review", "review.json")
    every = sum(map(len, log.spans))
    assert rows["rows"]["events"]["in"] == every
    assert "not pushed" in ran.out
    found = log.content(
        "retrieval_evaluator", "evaluation", "evaluation.json"
    )["blessing"]
    assert not found["blessed"]
    assert any("recall@10" in reason for reason in found["reasons"])
    assert log.served() == [[1, 2], [1, 2]]


def test_what_the_tuner_found_is_what_was_trained(log: Log) -> None:
    best = log.content(
        "tuner", "best_hyperparameters", "best_hyperparameters.txt"
    )["values"]
    assert set(best) == set(SEARCH_SPACE)
    bundle = log.artifact("trainer", "model") / "Format-Serving"
    told = Manifest.read(bundle).config
    for key, value in best.items():
        section, name = key.split(".")
        assert told[section][name] == value
