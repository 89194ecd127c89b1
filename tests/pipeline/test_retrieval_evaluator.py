"""RetrievalEvaluator on a bundle that was really trained, and on a worse."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from model_artifacts import (
    artifact,
    evaluator_inputs,
    exact_dir,
    model_of,
    settings_of,
    twin_dir,
    worsened,
)
from tfx.types import Channel, standard_artifacts

from pipeline import bundle_pusher
from pipeline import prepared as prepared_files
from pipeline.artifacts import RetrievalEvaluation
from pipeline.retrieval_evaluator import Executor, RetrievalEvaluator
from pipeline.thresholds import METRICS, Thresholds
from trainer.prepare import LabelScale
from trainer.run import Run

LENIENT = Thresholds(over_baselines={}, min_index_recall=None)


@dataclasses.dataclass
class Evaluated:
    """What one execution left behind."""

    evaluation: dict[str, Any]
    blessing: Any
    predictions: Any


def evaluate(
    run: Run, folder: Path, models: dict[str, Any], **properties: Any
) -> Evaluated:
    inputs = evaluator_inputs(run, folder / "in")
    inputs.update({name: [model] for name, model in models.items()})
    outputs = {
        "blessing": artifact(
            standard_artifacts.ModelBlessing, folder / "blessing"
        ),
        "evaluation": artifact(RetrievalEvaluation, folder / "evaluation"),
        "ranking_predictions": artifact(
            standard_artifacts.Examples, folder / "predictions"
        ),
    }
    properties = {"config": settings_of(run), **properties}
    properties.setdefault("thresholds", LENIENT.to_json())
    Executor().Do(
        inputs, {name: [made] for name, made in outputs.items()}, properties
    )
    text = (folder / "evaluation" / "evaluation.json").read_text()
    return Evaluated(
        json.loads(text), outputs["blessing"], outputs["ranking_predictions"]
    )


@pytest.fixture(autouse=True)
def _data(small_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        prepared_files, "read_prepared", lambda *_: small_run.prepared
    )


@pytest.fixture(scope="module")
def good(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return model_of(exact_dir(small_run), tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def twin(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return model_of(twin_dir(small_run), tmp_path_factory.mktemp("twin"))


@pytest.fixture(scope="module")
def bad(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("bad")
    return model_of(
        worsened(exact_dir(small_run), folder / "bundle"), folder / "model"
    )


@pytest.fixture(scope="module")
def first(
    small_run: Run, good: Any, twin: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Evaluated:
    """The evaluation of the first model ever, without a baseline model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            prepared_files, "read_prepared", lambda *_: small_run.prepared
        )
        return evaluate(
            small_run, tmp_path_factory.mktemp("first"),
            {"model": good, "scann_model": twin},
        )


def test_the_bundle_measures_as_its_run_did(
    small_run: Run, first: Evaluated
) -> None:
    told = json.loads((small_run.job_dir / "metrics.json").read_text())
    found = first.evaluation
    assert set(found["model"]) == set(METRICS)
    for name in METRICS:
        value = found["model"][name]["value"]
        assert value == pytest.approx(told["test"][name], abs=0.01)
    for name in ("random", "popularity", "markov"):
        assert found["baselines"][name]["recall@10"] == pytest.approx(
            told["baselines"][name]["recall@10"]
        )
    assert found["queries"] == told["test"]["queries"]


def test_means_lie_in_their_intervals_and_slices_add_up(
    first: Evaluated
) -> None:
    found = first.evaluation
    for name, measured in found["model"].items():
        if name in ("coverage@10", "gini@10"):
            assert measured["low"] is None and measured["high"] is None
        else:
            assert measured["low"] <= measured["value"] <= measured["high"]
    for kind in ("item:", "user:"):
        members = [v for k, v in found["slices"].items() if k.startswith(kind)]
        assert sum(v["queries"] for v in members) == found["queries"]
        hits = sum(v["queries"] * v["recall@10"]["value"] for v in members)
        assert hits / found["queries"] == pytest.approx(
            found["model"]["recall@10"]["value"]
        )
    assert any(name.startswith("scenario:") for name in found["slices"])
    assert sum(p["queries"] for p in found["cold_curve"]) == found["queries"]


def test_the_index_is_compared_with_exact_search(first: Evaluated) -> None:
    index = first.evaluation["index"]
    assert 0.9 <= index["recall@10"] <= 1.0
    for kind in ("exact_ms", "scann_ms"):
        assert 0 < index[kind]["p50"] <= index[kind]["p95"]


def test_samples_show_titles_of_history_target_and_answers(
    small_run: Run, first: Evaluated
) -> None:
    titles = set(small_run.prepared.catalogue.titles)
    assert len(first.evaluation["samples"]) == 8
    for sample in first.evaluation["samples"]:
        assert 1 <= len(sample["history"]) <= 10
        assert len(sample["recommended"]) == 10
        assert {
            *sample["history"], sample["target"], *sample["recommended"]
        } <= titles


def test_a_first_model_is_blessed_as_tfx_expects(
    first: Evaluated, good: Any
) -> None:
    blessing = first.blessing
    assert first.evaluation["blessing"]["blessed"]
    assert first.evaluation["previous"] is None
    assert first.evaluation["forgetting"] is None
    assert (Path(blessing.uri) / "BLESSED").is_file()
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_int_custom_property("current_model_id") == good.id
    assert blessing.get_string_custom_property("current_model") == good.uri


def test_predictions_of_the_ranking_head_carry_their_slices(
    small_run: Run, first: Evaluated
) -> None:
    assert first.predictions.split_names == '["eval"]'
    files = list((Path(first.predictions.uri) / "Split-eval").iterdir())
    records = tf.data.TFRecordDataset([str(f) for f in files], "GZIP")
    examples = [
        tf.train.Example.FromString(record).features.feature
        for record in records.as_numpy_iterator()
    ]
    told = json.loads((small_run.job_dir / "metrics.json").read_text())
    assert len(examples) == told["test"]["labels"]
    labels, predictions = (
        np.array([e[key].float_list.value[0] for e in examples])
        for key in ("label", "prediction")
    )
    assert labels.min() >= 0 and labels.max() <= 1
    scale = small_run.prepared.label_scale
    error = np.sqrt(np.mean((labels - predictions) ** 2))
    unit = scale.high - scale.low
    assert error * unit == pytest.approx(told["test"]["rmse"], abs=1e-3)
    assert {e["item_popularity"].bytes_list.value[0] for e in examples} <= {
        b"cold", b"tail", b"torso", b"head"
    }
    scenarios = {e["scenario"].bytes_list.value[0] for e in examples}
    known = [name.encode() for name in small_run.prepared.scenarios]
    assert scenarios <= {b"unknown", *known}


def test_a_worse_model_is_not_blessed_and_every_reason_is_told(
    small_run: Run, good: Any, bad: Any, tmp_path: Path
) -> None:
    found = evaluate(
        small_run, tmp_path, {"model": bad, "baseline_model": good}
    )
    verdict = found.evaluation["blessing"]
    assert not verdict["blessed"]
    assert any("of the last blessed model to" in r for r in verdict["reasons"])
    assert any("on what it knew" in r for r in verdict["reasons"])
    assert found.blessing.get_int_custom_property("blessed") == 0
    assert (Path(found.blessing.uri) / "NOT_BLESSED").is_file()
    previous = found.evaluation["previous"]
    told = json.loads((small_run.job_dir / "metrics.json").read_text())
    assert previous["recall@10"] == pytest.approx(
        told["test"]["recall@10"], abs=0.01
    )
    assert found.evaluation["forgetting"]["queries"] == told["test"]["queries"]
    assert_not_pushed(bad, found.blessing, tmp_path)


def assert_not_pushed(model: Any, verdict: Any, folder: Path) -> None:
    infra = artifact(standard_artifacts.InfraBlessing, folder / "infra")
    infra.set_int_custom_property("blessed", 1)
    pushed = artifact(standard_artifacts.PushedModel, folder / "pushed")
    bundle_pusher.Executor().Do(
        {
            "model": [model], "model_blessing": [verdict],
            "infra_blessing": [infra],
        },
        {"pushed_model": [pushed]},
        {"base_directory": str(folder / "served")},
    )
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (folder / "served").exists()


def test_a_worse_model_may_be_forced_and_the_reason_stays(
    small_run: Run, good: Any, bad: Any, twin: Any, tmp_path: Path
) -> None:
    found = evaluate(
        small_run, tmp_path,
        {"model": bad, "baseline_model": good, "scann_model": twin},
        force_bless_reason="ticket 9", max_queries=50,
    )
    assert found.evaluation["queries"] == 50
    assert found.evaluation["blessing"]["reasons"][-1] == "forced: ticket 9"
    assert found.blessing.get_int_custom_property("blessed") == 1
    message = found.blessing.get_string_custom_property("blessing_message")
    assert "forced: ticket 9" in message


def test_without_labels_there_is_an_empty_file_of_predictions(
    small_run: Run, good: Any, twin: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = np.full_like(small_run.prepared.labels, np.nan)
    unlabelled = dataclasses.replace(
        small_run.prepared, labels=nothing,
        label_scale=LabelScale("none", 0.0, 1.0),
    )
    monkeypatch.setattr(prepared_files, "read_prepared", lambda *_: unlabelled)
    found = evaluate(
        small_run, tmp_path, {"model": good, "scann_model": twin},
        max_queries=20,
    )
    assert found.predictions.get_int_custom_property("predictions") == 0
    (file,) = (Path(found.predictions.uri) / "Split-eval").iterdir()
    assert not list(tf.data.TFRecordDataset(str(file), "GZIP"))


def test_a_split_without_test_events_is_refused(
    small_run: Run, good: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences = small_run.prepared.sequences
    train_only = dataclasses.replace(
        small_run.prepared,
        sequences=dataclasses.replace(sequences, split=sequences.split * 0),
    )
    monkeypatch.setattr(prepared_files, "read_prepared", lambda *_: train_only)
    with pytest.raises(ValueError, match="leaves no test events"):
        evaluate(small_run, tmp_path, {"model": good})


def test_the_component_is_wired_and_knows_its_code(small_run: Run) -> None:
    kinds = {
        "model": standard_artifacts.Model,
        "sequences": standard_artifacts.Examples,
        "catalogue": standard_artifacts.Examples,
        "sequence_graph": standard_artifacts.TransformGraph,
        "catalogue_graph": standard_artifacts.TransformGraph,
    }
    made = RetrievalEvaluator(
        **{name: Channel(type=kind) for name, kind in kinds.items()},
        config=small_run.config,
    )
    assert set(made.outputs) == {
        "blessing", "evaluation", "ranking_predictions"
    }
    assert len(made.exec_properties["code_fingerprint"]) == 16
    assert made.exec_properties["config"] == settings_of(small_run)
