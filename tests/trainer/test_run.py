"""A whole run: what it reports, and how a killed one goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from serving import versions
from serving.manifest import Manifest
from trainer import behaviour
from trainer import run as run_module
from trainer.evaluation import Queries, build_queries, rank_targets
from trainer.run import Run
from trainer.scoring import ModelScorer

MODELS = ("recommender", "recommender_scann")


@pytest.fixture(scope="module")
def metrics(small_run: Run) -> dict:
    return json.loads((small_run.job_dir / "metrics.json").read_text())


def queries_of(run: Run, split: int) -> Queries:
    sequences = run.prepared.sequences
    return build_queries(
        sequences, behaviour.target_rows(sequences, split),
        num_items=130, exclude_seen=True,
    )


def test_metrics_have_the_names_that_are_promised(metrics):
    assert set(metrics) == {
        "validation", "test", "slices", "baselines", "rerank", "seconds",
        "peak_memory_mb",
    }
    assert set(metrics["rerank"]) == {"depth", "all", "high"}
    measured = {
        f"{name}@{k}"
        for name, k in (
            ("recall", 5), ("recall", 10), ("recall", 100),
            ("ndcg", 5), ("ndcg", 10), ("mrr", 10), ("coverage", 10),
            ("gini", 10), ("novelty", 10),
        )
    }
    for name in ("random", "popularity", "markov"):
        assert set(metrics["baselines"][name]) == {*measured, "queries"}
    for split in ("validation", "test"):
        assert measured < set(metrics[split])
        assert {"rmse", "rmse_of_mean", "auc"} < set(metrics[split])


@pytest.mark.parametrize(
    ("name", "split"),
    [("validation", behaviour.VALIDATION), ("test", behaviour.TEST)],
)
def test_metrics_are_those_of_the_exported_model(
    small_run, metrics, name, split
):
    queries = queries_of(small_run, split)
    scorer = ModelScorer(small_run.model, small_run.prepared, queries)
    ranks = rank_targets(queries, scorer, name).ranks
    assert metrics[name]["queries"] == len(queries) > 100
    assert metrics[name]["recall@10"] == pytest.approx(np.mean(ranks <= 10))


def test_lists_are_ordered_anew_from_the_places_that_retrieval_gave(metrics):
    found, test = metrics["rerank"], metrics["test"]
    assert found["depth"] == 100
    for name in ("recall@10", "recall@100", "ndcg@10", "queries"):
        before = found["all"]["retrieval"][name]
        assert before == pytest.approx(test[name])
    for order in ("head", "blend"):
        assert found["all"][order]["recall@100"] == test["recall@100"]
        assert 0 < found["high"][order]["queries"] < test["queries"]


def test_slices_and_baselines_are_of_the_test_split(small_run, metrics):
    number = len(queries_of(small_run, behaviour.TEST))
    by_length = [
        each["queries"]
        for name, each in metrics["slices"].items()
        if name.startswith("user:")
    ]
    assert sum(by_length) == number
    for baseline in metrics["baselines"].values():
        assert baseline["queries"] == number


def test_every_stage_is_timed(small_run, metrics):
    assert set(metrics["seconds"]) == {
        "encode", "train", "evaluate", "baselines", "export"
    }
    assert metrics["seconds"] == small_run.clock.seconds
    assert metrics["peak_memory_mb"] > 100


def test_both_bundles_have_the_same_version_and_catalogue(small_run):
    export = small_run.job_dir / "export"
    found = [Manifest.read(export / name / "1") for name in MODELS]
    assert [each.kind for each in found] == ["exact", "scann"]
    assert found[0].vocabularies == found[1].vocabularies


@pytest.fixture
def copied(small_run: Run, tmp_path: Path) -> Run:
    """The same run in a copy of its folder, not executed yet."""
    job_dir = tmp_path / "job"
    shutil.copytree(small_run.job_dir, job_dir)
    return Run(small_run.prepared, small_run.config, job_dir)


def versions_of(run: Run) -> list[list[int]]:
    return [versions.versions(run.job_dir / "export" / m) for m in MODELS]


def test_a_run_killed_between_its_bundles_builds_the_second(
    copied, metrics, capsys
):
    export = copied.job_dir / "export"
    shutil.rmtree(export / "recommender_scann")
    (copied.job_dir / "metrics.json").unlink()
    exact = export / "recommender" / "1" / "saved_model.pb"
    before = exact.stat().st_mtime_ns
    again = copied.execute()
    assert versions_of(copied) == [[1], [1]]
    assert exact.stat().st_mtime_ns == before
    assert "resuming after epoch 2" in capsys.readouterr().out
    for name in ("validation", "test"):
        assert again[name] == pytest.approx(metrics[name], rel=1e-4)


def test_a_run_killed_before_its_first_bundle_writes_the_version_it_chose(
    copied, monkeypatch
):
    shutil.rmtree(copied.job_dir / "export")
    (copied.job_dir / "exported.json").unlink()
    written = []

    def note(*_: object, model_dir: Path, version: int, **__: object) -> None:
        written.append(("exact", version))
        if len(written) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "export_exact", note)
    monkeypatch.setattr(
        run_module.index, "build",
        lambda _, __, version, **___: written.append(("scann", version)),
    )
    with pytest.raises(KeyboardInterrupt):
        copied._export(None, {}, build_twin=True)
    copied._export(None, {}, build_twin=True)
    assert written == [("exact", 1), ("exact", 1), ("scann", 1)]
