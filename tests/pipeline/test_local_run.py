"""The whole graph on a small log with every kind of bad row in it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from local_path import read_locally, sample_data
from ml_metadata.proto import metadata_store_pb2
from same_arrays import differences
from tfx.orchestration import metadata

from pipeline import index_builder
from pipeline.config import PipelineConfig, find_sources
from pipeline.local_run import LocalRun, StepFailedError
from serving import versions
from serving.recommender import Recommender
from trainer.config import RunConfig, TrainingConfig
from trainer.prepare import Prepared, prepare
from trainer.records import Records, load_prepared
from trainer.settings import parse

pytestmark = pytest.mark.e2e
RESOLVERS = {"warm_start", "latest_blessed"}
_OUTPUT = metadata_store_pb2.Event.OUTPUT


def run_config() -> RunConfig:
    flags = ["--preset", "smoke", "--data-dir", "x", "--job-dir", "x"]
    config = parse(flags).config
    fields = dataclasses.asdict(config.training) | {"epochs": 5}
    return dataclasses.replace(config, training=TrainingConfig(**fields))


def pipeline_config(data: Path, root: Path, **changes: Any) -> PipelineConfig:
    run = run_config()
    return PipelineConfig(
        **{
            "run": run,
            "sources": find_sources(str(data), run.data),
            "data_dir": str(data),
            "pipeline_root": str(root),
            "serving_dir": str(root / "serving"),
            **changes,
        }
    )


@dataclasses.dataclass
class Ran:
    data: Path
    root: Path
    first: LocalRun

    def again(self, **changes: Any) -> LocalRun:
        run = LocalRun(pipeline_config(self.data, self.root, **changes))
        run.execute()
        return run

    def artifact(self, node: str, output: str) -> Path:
        folders = (self.root / node / output).iterdir()
        return max(folders, key=lambda folder: int(folder.name))

    def records(self) -> Records:
        def files(node: str) -> str:
            folder = self.artifact(node, "transformed_examples")
            return str(folder / "Split-all" / "*")

        return Records(
            files("sequence_transform"),
            files("catalogue_transform"),
            str(self.artifact("sequence_transform", "transform_graph")),
            str(self.artifact("catalogue_transform", "transform_graph")),
        )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("pipeline")
    data, root = sample_data(folder / "data"), folder / "root"
    first = LocalRun(pipeline_config(data, root))
    first.execute()
    yield Ran(data, root, first)


def test_both_ways_in_give_the_model_the_same_arrays(
    ran: Ran, tmp_path: Path
) -> None:
    config = run_config()
    local: Prepared = prepare(
        read_locally(ran.data, config.data, tmp_path), config
    )
    assert differences(load_prepared(ran.records()), local) == []
    # The comparison can fail.
    changed = dataclasses.replace(local, labels=local.labels + 1)
    assert differences(changed, local) == [".labels"]


def test_both_bundles_are_pushed_under_one_number_and_answer(ran: Ran) -> None:
    serving = ran.root / "serving"
    known = load_prepared(ran.records()).catalogue.item_ids
    for name in ("recommender", "recommender_scann"):
        assert versions.versions(serving / name) == [1]
        recommender = Recommender(serving / name / "1")
        asked = {
            "item_ids": np.array(known[:1], object),
            "k": np.array([3], np.int32),
        }
        answer = recommender.predict("similar_items", asked)
        found = [item.decode() for item in answer["item_ids"][0]]
        assert len(set(found)) == 3
        assert set(found) <= set(known[1:])
    assert "recommender_scann/1" in ran.first.verdict()


def test_the_evaluation_tells_model_baselines_and_slices(ran: Ran) -> None:
    folder = ran.artifact("retrieval_evaluator", "evaluation")
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["blessing"]["blessed"] is True
    metrics = ran.artifact("trainer", "model_run") / "metrics.json"
    trained = json.loads(metrics.read_text())["test"]
    # The exported bundle, asked by raw ids, against the model in training.
    model = found["model"]["ndcg@10"]
    assert model["value"] == pytest.approx(trained["ndcg@10"], abs=1e-6)
    assert model["low"] <= model["value"] <= model["high"]
    assert {"popularity", "markov", "random"} <= set(found["baselines"])


def test_time_and_memory_of_every_step_are_recorded(ran: Ran) -> None:
    file = ran.root / "runs" / ran.first.run_id / "components.json"
    found = json.loads(file.read_text())
    assert found == ran.first.components
    assert {"events_gen", "trainer", "scann_pusher"} <= set(found)
    assert all(step["peak_memory_mb"] > 100 for step in found.values())
    assert not any(step["cached"] for step in found.values())


def test_a_second_run_is_served_from_the_cache(ran: Ran) -> None:
    second = ran.again()
    anew = {
        name for name, step in second.components.items() if not step["cached"]
    }
    previous = {name for name in anew if name.endswith("_previous")}
    assert anew == RESOLVERS | previous
    assert versions.versions(ran.root / "serving" / "recommender") == [1]


def test_runs_of_one_moment_are_two_runs(ran: Ran) -> None:
    config = pipeline_config(ran.data, ran.root)
    assert len({LocalRun(config).run_id for _ in range(5)}) == 5


def test_changed_source_runs_what_it_touches_again(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        index_builder, "source_fingerprint", lambda *_: "another"
    )
    steps = ran.again().components
    assert not steps["index_builder"]["cached"]
    assert not steps["retrieval_evaluator"]["cached"]
    for name in ("events_gen", "sequence_builder", "trainer"):
        assert steps[name]["cached"], name


def test_a_step_that_fails_says_why_and_leaves_what_was_pushed(
    ran: Ran, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(ran.data, broken)
    events = broken / "events.csv"
    events.write_text(events.read_text().replace("item_id", "itemid", 1))
    run = LocalRun(pipeline_config(broken, ran.root))
    with pytest.raises(StepFailedError) as error:
        run.execute()
    assert "events_gen" in str(error.value)
    assert "missing_column" in str(error.value)
    assert "'itemid'" in str(error.value)
    serving = ran.root / "serving" / "recommender"
    assert versions.versions(serving) == [1]
    assert Recommender(serving / "1").version == 1


def test_a_worse_model_is_not_pushed(ran: Ran) -> None:
    # The same log with events that tell nothing of one another would do; a
    # floor that no model reaches is quicker.
    thresholds = json.dumps({"at_least": {"recall@10": 0.999}})
    run = ran.again(thresholds=thresholds)
    assert "not pushed" in run.verdict()
    folder = ran.artifact("retrieval_evaluator", "evaluation")
    found = json.loads((folder / "evaluation.json").read_text())["blessing"]
    assert found["blessed"] is False
    assert any("recall@10" in reason for reason in found["reasons"])
    serving = ran.root / "serving" / "recommender"
    assert versions.versions(serving) == [1]


def test_every_artifact_is_in_the_metadata(ran: Ran) -> None:
    store_config = metadata.sqlite_metadata_connection_config(
        str(ran.root / "metadata.sqlite")
    )
    with metadata.Metadata(store_config) as handle:
        types = {kind.name for kind in handle.store.get_artifact_types()}
    assert {"Examples", "Model", "PushedModel"} <= types
    assert any("TableReview" in name for name in types)
