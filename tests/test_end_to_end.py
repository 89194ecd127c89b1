"""Whole commands: sample, task, server, client; kills; small catalogues."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.client import Client, User
from serving.manifest import Manifest
from serving.recommender import Recommender
from serving.signatures import SIGNATURES, blank
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.prepare import prepare
from trainer.run import Run
from trainer.sample.config import SampleConfig
from trainer.sample.files import write_tables
from trainer.sample.logs import generate
from trainer.tables import load_dataset
from trainer.text_config import TextConfig

sys.path.append(str(Path(__file__).parent / "serving"))
from processes import Process, beside  # noqa: E402

pytestmark = pytest.mark.e2e

ITEMS, EPOCHS = 110, 30
MODELS = ("recommender", "recommender_scann")
_WAIT = 240  # seconds until a command that hangs fails its test


class Reader(threading.Thread):
    """Looks at the export folder all the time, as a server would.

    Attributes:
        looks: how often versions were seen.
        half: what a version folder lacked when it was seen.
    """

    def __init__(self, export: Path) -> None:
        super().__init__(daemon=True)
        self._export, self._stopped = export, threading.Event()
        self.looks, self.half = 0, set[str]()

    def run(self) -> None:
        wanted = (
            "saved_model.pb", "variables/variables.index",
            "assets.extra/manifest.json",
            "assets.extra/tf_serving_warmup_requests",
        )
        while not self._stopped.wait(0.002):
            for version in self._export.glob("*/[0-9]*"):
                self.looks += 1
                self.half |= {
                    f"{version} had no {name}"
                    for name in wanted
                    if not (version / name).exists()
                }

    def stop(self) -> None:
        self._stopped.set()
        self.join()


class Killed:
    """A job that was killed at three moments, and then let through.

    Attributes:
        outputs: what each of the four commands printed.
        reader: what a reader of the export folder saw meanwhile.
    """

    MOMENTS = (
        "checkpoints/last/checkpoint",
        "export/recommender/.incoming-1",
        "export/recommender_scann/.incoming-1",
    )

    def __init__(self, data: Path, job_dir: Path) -> None:
        self.job_dir, self._data = job_dir, data
        self.reader = Reader(job_dir / "export")
        self.reader.start()
        self.outputs = [
            self._command(job_dir / moment) for moment in self.MOMENTS
        ]
        self.outputs.append(self._command(None))
        self.reader.stop()

    def _command(self, kill_at: Path | None) -> str:
        """Runs the command; once a path is there, ends it with SIGKILL."""
        log = self.job_dir.parent / "task.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "trainer.task"),
                    *("--data-dir", str(self._data)),
                    *("--job-dir", str(self.job_dir), "--preset", "smoke"),
                    *("--epochs", str(EPOCHS), "--patience", str(EPOCHS)),
                    *("--max-history", "8"),
                ],
                stdout=file, stderr=subprocess.STDOUT,
                **beside(self.job_dir.parent),
            )
        if kill_at:
            _wait_for(kill_at, process)
            process.kill()
        code = process.wait(timeout=_WAIT)
        assert code == (-signal.SIGKILL if kill_at else 0), log.read_text()
        return log.read_text()


def _wait_for(path: Path, process: subprocess.Popen) -> None:
    end = time.monotonic() + _WAIT
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(0.001)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("end_to_end")
    subprocess.run(
        [
            *(sys.executable, "-m", "trainer.sample", "logs"),
            *("--users", "120", "--items", str(ITEMS), "--seed", "3"),
        ],
        check=True, timeout=_WAIT, **beside(folder),
    )
    return folder / "logs"


@pytest.fixture(scope="module")
def job(data: Path) -> Killed:
    return Killed(data, data.parent / "job")


@pytest.fixture(scope="module")
def server(job: Killed) -> Iterator[Process]:
    process = Process(
        job.job_dir / "export" / "recommender", job.job_dir / "server.log"
    )
    yield process
    assert process.terminate() == 0


@pytest.fixture(scope="module")
def history(data: Path) -> list[str]:
    with (data / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["item_id"] for row in rows[:4]]


def test_a_killed_training_goes_on_after_its_last_epoch(job):
    lines = [
        [line for line in output.splitlines() if line.startswith("resuming")]
        for output in job.outputs
    ]
    assert lines[0] == []
    (resumed,) = lines[1]
    first = int(resumed.removeprefix("resuming after epoch "))
    assert 1 <= first < EPOCHS
    assert f"epoch {first}: loss" not in job.outputs[1]
    assert f"epoch {first + 1}: loss" in job.outputs[1]
    assert f"epoch {EPOCHS}: loss" in job.outputs[1]


def test_a_killed_export_is_done_again_without_training(job):
    for output in job.outputs[2:]:
        assert f"resuming after epoch {EPOCHS}" in output
        assert ": loss" not in output
    export = job.job_dir / "export"
    for name in MODELS:
        assert sorted(p.name for p in (export / name).iterdir()) == [
            ".lock", "1"
        ]


def test_a_reader_never_sees_half_a_version(job):
    assert job.reader.looks > 100
    assert job.reader.half == set()


def test_a_finished_job_has_metrics_and_both_bundles(job):
    metrics = json.loads((job.job_dir / "metrics.json").read_text())
    assert 0 < metrics["test"]["recall@10"] <= 1
    assert "serve with: python -m serving.server" in job.outputs[-1]
    twin = Manifest.read(job.job_dir / "export" / "recommender_scann" / "1")
    assert twin.kind == "scann"


def ask_with_stub(
    target: str, signature: str = "recommend", **given: np.ndarray
) -> dict[str, np.ndarray]:
    """Asks with tensorflow-serving-api's own stub and messages."""
    length = given["history_item_ids"].shape[1]
    sizes = {"b": 1, "L": length, "X": 0, "C": 0, "s": 0}
    inputs = {**blank(SIGNATURES[signature].inputs, sizes), **given}
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "recommender"
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(target) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        response = stub.Predict(request, timeout=60)
    return {k: tf.make_ndarray(v) for k, v in response.outputs.items()}


def ids_of(answer: dict[str, np.ndarray]) -> list[str]:
    return [item.decode() for item in answer["item_ids"][0] if item]


def test_client_stub_and_bundle_give_the_same_items(
    job, server, history, tmp_path
):
    printed = subprocess.run(
        [
            *(sys.executable, "-m", "serving.client", "recommend"),
            *("--history", ",".join(history), "-k", "10"),
            *("--server", server.target),
        ],
        check=True, timeout=60, capture_output=True, **beside(tmp_path),
    ).stdout
    request = {
        "history_item_ids": np.array([history], object),
        "k": np.array([10], np.int32),
    }
    answer = ask_with_stub(server.target, **request)
    found = ids_of(answer)
    rows = [line.split() for line in printed.splitlines()[1:]]
    assert [row[1] for row in rows] == found
    assert len(set(found)) == 10
    assert not set(found) & set(history)
    for row, title in zip(rows, answer["titles"][0], strict=True):
        assert " ".join(row[3:]) == " ".join(title.decode().split())

    sizes = {"b": 1, "L": len(history), "X": 0}
    inputs = {**blank(SIGNATURES["recommend"].inputs, sizes), **request}
    for name in MODELS:
        bundle = Recommender(job.job_dir / "export" / name / "1")
        assert ids_of(bundle.predict("recommend", inputs)) == found


@pytest.mark.parametrize("length", [0, 10_000])
def test_a_history_of_any_length_is_answered(server, data, length):
    with (data / "items.csv").open(newline="") as file:
        ids = [row["item_id"] for row in csv.DictReader(file)][:50]
    history = [ids[at % 50] for at in range(length)]
    with Client(server.target) as client:
        answers = client.recommend(User(history=history), k=10)
    assert len({answer.item_id for answer in answers}) == 10
    assert not {answer.item_id for answer in answers} & set(history)


def test_unknown_ids_and_scenarios_change_nothing(server, history):
    strange = [history[0], "no such item", *history[1:]]
    with Client(server.target) as client:
        known = client.recommend(User(history=history), k=5)
        unknown = client.recommend(
            User(history=strange, scenario="no such scenario"),
            exclude=["nor this one"],
            k=5,
        )
    assert [a.item_id for a in unknown] == [a.item_id for a in known]


def test_k_above_the_catalogue_gives_every_item_once(server):
    with Client(server.target) as client:
        answers = client.recommend(User(), k=10 * ITEMS)
    assert len(answers) == len({a.item_id for a in answers}) == ITEMS


@pytest.mark.parametrize("items", [1, 50, 99])
def test_a_small_catalogue_runs_to_the_end(items, tmp_path):
    sample = generate(SampleConfig(users=40, items=items, scenarios=1))
    write_tables(sample.tables, sample.truth, tmp_path / "logs", "csv")
    bert = tmp_path / "bert.json"
    sizes = ("hidden_size", "intermediate_size", "max_position_embeddings")
    bert.write_text(
        json.dumps(
            {
                **dict.fromkeys(sizes, 8),
                "num_hidden_layers": 1,
                "num_attention_heads": 1,
            }
        )
    )
    config = RunConfig(
        data=DataConfig(max_history=4),
        text=TextConfig(text_encoder=str(bert), max_tokens=8),
        model=ModelConfig(embedding_dim=4, lstm_units=4),
        training=TrainingConfig(epochs=1),
    )
    dataset = load_dataset(
        str(tmp_path / "logs"), config.data,
        rejects_dir=tmp_path / "rejects", now=1_800_000_000,
    )
    job_dir = tmp_path / "job"
    Run(prepare(dataset, config), config, job_dir).execute()
    twin = job_dir / "export" / "recommender_scann" / "1"
    assert Manifest.read(twin).index["search"] == "exact"
    inputs = blank(SIGNATURES["recommend"].inputs, {"b": 1, "L": 0, "X": 0})
    inputs["k"][:] = items + 100
    found = ids_of(Recommender(twin).predict("recommend", inputs))
    assert sorted(found) == sorted(sample.world.catalogue.ids)
