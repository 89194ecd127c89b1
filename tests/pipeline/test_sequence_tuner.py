"""SequenceTuner: short runs of the trainer, scored and remembered."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras_tuner
import pytest
from model_artifacts import artifact, evaluator_inputs
from tfx.types import Channel, standard_artifacts
from tfx.utils import json_utils

from pipeline import sequence_tuner
from pipeline.run_tuner import RunTuner, search_space, trial_config
from pipeline.sequence_tuner import SequenceTuner, SequenceTunerExecutor
from trainer import records
from trainer.config import RunConfig, TrainingConfig
from trainer.run import Run
from trainer.run_fn import tuned
from trainer.search_space import SEARCH_SPACE
from trainer.warm_start import VOCABULARIES


@pytest.fixture(autouse=True)
def _same_data(small_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The artifacts stay empty; test_local_run has real ones."""
    monkeypatch.setattr(
        records, "load_prepared", lambda *_: small_run.prepared
    )


def properties(config: RunConfig, work_dir: str, trials: int) -> Any:
    channels = {
        "sequences": Channel(type=standard_artifacts.Examples),
        "catalogue": Channel(type=standard_artifacts.Examples),
        "sequence_graph": Channel(type=standard_artifacts.TransformGraph),
        "catalogue_graph": Channel(type=standard_artifacts.TransformGraph),
    }
    node = SequenceTuner(
        **channels, config=config, trials=trials, work_dir=work_dir
    )
    return dict(node.exec_properties)


def search(run: Run, folder: Path, trials: int = 2) -> dict[str, Any]:
    """Runs the executor. Returns what it wrote, by output."""
    given = evaluator_inputs(run, folder)
    for name in ("sequences", "catalogue"):
        given[name][0].split_names = '["all"]'
    given["examples"] = given.pop("sequences")
    given["transform_graph"] = given.pop("sequence_graph")
    made = {
        "best_hyperparameters": standard_artifacts.HyperParameters,
        "tuner_results": standard_artifacts.TunerResults,
    }
    outputs = {
        name: [artifact(kind, folder / name)] for name, kind in made.items()
    }
    work_dir = str(folder / "work")
    SequenceTunerExecutor().Do(
        given, outputs, properties(run.config, work_dir, trials)
    )
    return {
        name: json.loads(next((folder / name).iterdir()).read_text())
        for name in made
    }


def test_two_trials_and_the_better_one_reaches_the_run(
    small_run: Run, tmp_path: Path
) -> None:
    written = search(small_run, tmp_path)
    results = written["tuner_results"]
    assert len(results) == 2
    assert all(0 < result["score"] <= 1 for result in results)
    best = max(results, key=lambda result: result["score"])
    values = written["best_hyperparameters"]["values"]
    assert values == {key: best[key] for key in SEARCH_SPACE}
    found = tuned(small_run.config, written["best_hyperparameters"])
    assert found.training.learning_rate == best["training.learning_rate"]
    assert found.model.temperature == best["model.temperature"]
    assert not list((tmp_path / "work").iterdir())  # checkpoints are gone


def test_a_search_is_the_same_for_one_seed_and_starts_from_the_settings(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, float]] = []

    def fit(run: Run) -> float:
        training, model = run.config.training, run.config.model
        seen.append({
            "training.learning_rate": training.learning_rate,
            "model.dropout": model.dropout,
        })
        return 1.0 / len(seen)

    monkeypatch.setattr(Run, "fit", fit)
    search(small_run, tmp_path / "a", 4)
    search(small_run, tmp_path / "b", 4)
    assert seen[:4] == seen[4:]
    assert len({tuple(values.values()) for values in seen[:4]}) == 4
    config = small_run.config
    assert seen[0] == {
        "training.learning_rate": config.training.learning_rate,
        "model.dropout": config.model.dropout,
    }


def test_a_search_that_was_killed_goes_on(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def fit(run: Run) -> float:
        calls.append(run.job_dir)
        if len(calls) == 2:
            raise OSError("disk full")
        return 0.5

    monkeypatch.setattr(Run, "fit", fit)
    with pytest.raises(keras_tuner.errors.FatalError, match="disk full"):
        search(small_run, tmp_path, 3)
    written = search(small_run, tmp_path, 3)
    # The second trial again, in its own folder; the first is remembered.
    assert calls[1] == calls[2]
    assert len(calls) == 4
    assert len(written["tuner_results"]) == 3


def test_a_diverging_trial_is_the_worst(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.2, None, 0.3])

    def fit(_: Run) -> float:
        score = next(scores)
        if score is None:
            raise FloatingPointError("the loss is no longer a number")
        return score

    monkeypatch.setattr(Run, "fit", fit)
    results = search(small_run, tmp_path, 3)["tuner_results"]
    assert [result["score"] for result in results] == [0.3, 0.2, 0.0]


def test_trials_go_on_from_the_weights_that_the_training_will(
    small_run: Run, tmp_path: Path
) -> None:
    assert (small_run.job_dir / VOCABULARIES).exists()
    tuner = RunTuner(
        small_run.prepared,
        trial_config(small_run.config),
        tmp_path,
        trials=1,
        warm_start=small_run.job_dir,
    )
    tuner.search(verbose=0)
    (best,) = tuner.oracle.get_best_trials(1)
    cold = RunTuner(
        small_run.prepared,
        trial_config(small_run.config),
        tmp_path / "cold",
        trials=1,
    )
    cold.search(verbose=0)
    # Two epochs are behind one of them.
    assert best.score > cold.oracle.get_best_trials(1)[0].score


@pytest.mark.parametrize(("epochs", "expected"), [(1, 1), (7, 1), (20, 5)])
def test_trials_are_shorter(epochs: int, expected: int) -> None:
    config = RunConfig(training=TrainingConfig(epochs=epochs))
    assert trial_config(config).training.epochs == expected


def test_a_setting_out_of_reach_starts_at_the_nearest_bound() -> None:
    base = RunConfig()
    training = dataclasses.replace(base.training, learning_rate=1.0)
    space = search_space(dataclasses.replace(base, training=training))
    highest = SEARCH_SPACE["training.learning_rate"].high
    assert space.get("training.learning_rate") == highest


def test_changed_source_is_another_search(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sequence_tuner, "source_fingerprint", lambda *_: "another"
    )
    told = properties(RunConfig(), "", 1)["custom_config"]
    assert json_utils.loads(told)["code_fingerprint"] == "another"
