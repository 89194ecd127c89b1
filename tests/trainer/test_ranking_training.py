"""The head by itself: on towers that stand still, resumed, calibrated."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import ranking_training
from trainer import run as run_module
from trainer.behaviour import train_windows
from trainer.config import RunConfig
from trainer.model import TwoTower
from trainer.ranking_training import HeadAlone, fitted_line
from trainer.restored import restore
from trainer.run import Run
from trainer.training import Batches


def changed(config: RunConfig, **training: object) -> RunConfig:
    settings = dataclasses.replace(config.training, **training)
    return dataclasses.replace(config, training=settings)


def weights(layer: Any) -> list[np.ndarray]:
    return [variable.numpy() for variable in layer.variables]


def assert_equal(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


@dataclasses.dataclass
class Apart:
    """A run whose head was trained apart, and how it stood before that."""

    run: Run
    before: Path
    towers: list[np.ndarray]
    head: list[np.ndarray]


def towers(model: TwoTower) -> list[np.ndarray]:
    """Of both, but for what is weighed after all training."""
    part = {weight.ref() for weight in model.item_tower.text_part.weights}
    return [
        variable.numpy()
        for tower in (model.item_tower, model.user_tower)
        for variable in tower.variables
        if variable.ref() not in part
    ]


@pytest.fixture(scope="module")
def apart(
    small_run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apart]:
    folder = tmp_path_factory.mktemp("apart")
    config = changed(
        small_run.config, epochs=1, ranking_training="separate",
        ranking_loss="pairwise",
    )
    run = Run(small_run.prepared, config, folder / "job")
    found = Apart(run, folder / "before", [], [])
    fit_head = run_module.fit_head

    def note_and_fit(head: HeadAlone, *args: Any, **options: Any) -> None:
        if not found.before.exists():
            shutil.copytree(run.job_dir, found.before)
            found.towers = towers(head.model)
            found.head = weights(head.ranking_head)
        fit_head(head, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking_training, "EPOCHS", 2)
        patch.setattr(run_module, "fit_head", note_and_fit)
        run.fit()
        yield found


def test_the_towers_stand_still_while_the_head_learns(apart: Apart) -> None:
    model = apart.run.model
    assert_equal(towers(model), apart.towers)
    for before, after in zip(
        apart.head, weights(model.ranking_head), strict=True
    ):
        # Code 0 of the scenarios is the unknown one, which has no event.
        moved = before != after
        assert moved.mean() > 0.5
    lines = json.loads(
        (apart.run.job_dir / "ranking_head" / "history.json").read_text()
    )
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[1]["loss"] < lines[0]["loss"]
    assert all(0 < line["validation_auc"] < 1 for line in lines)


def test_the_best_checkpoint_has_the_head_that_was_trained_apart(
    apart: Apart, tmp_path: Path
) -> None:
    shutil.copytree(apart.run.job_dir, tmp_path / "job")
    model, _ = restore(apart.run.prepared, apart.run.config, tmp_path / "job")
    assert_equal(
        weights(model.ranking_head), weights(apart.run.model.ranking_head)
    )
    assert_equal(towers(model), apart.towers)


def test_a_run_killed_before_the_head_goes_on_with_it(
    apart: Apart, capsys: pytest.CaptureFixture[str]
) -> None:
    again = Run(apart.run.prepared, apart.run.config, apart.before)
    again.fit()
    assert capsys.readouterr().out.count("resuming after") == 1
    assert_equal(
        weights(again.model.ranking_head),
        weights(apart.run.model.ranking_head),
    )


def test_a_run_that_is_through_trains_no_more(
    apart: Apart, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(apart.run.job_dir, tmp_path / "job")
    again = Run(apart.run.prepared, apart.run.config, tmp_path / "job")
    again.fit()
    out = capsys.readouterr().out
    assert out.count("resuming after epoch") == 2
    assert "epoch 1: loss" not in out
    assert_equal(
        weights(again.model.ranking_head),
        weights(apart.run.model.ranking_head),
    )


@pytest.fixture
def batches(small_run: Run) -> Batches:
    prepared = small_run.prepared
    windows = train_windows(prepared.sequences, max_history=8)
    return Batches(prepared, windows, small_run.config.training)


@pytest.fixture
def model(
    small_run: Run, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TwoTower]:
    """A trained model whose settings and ranking head may be changed."""
    monkeypatch.setattr(small_run.model, "config", small_run.config)
    head = small_run.model.ranking_head
    learnt = head.get_weights()
    yield small_run.model
    head.set_weights(learnt)


@pytest.mark.parametrize("kind", ["pointwise", "pairwise", "listwise"])
def test_the_heads_loss_is_its_part_of_the_models(
    model: TwoTower, batches: Batches, kind: str
) -> None:
    batch = next(batches.epoch(0))
    losses = []
    for when in ("joint", "separate"):
        model.config = changed(
            model.config, ranking_loss=kind, ranking_training=when,
            ranking_weight=5.0,
        )
        losses.append(float(model.compute_loss(batch)))
    alone = float(HeadAlone(model, batches).compute_loss(batch))
    assert alone > 0
    assert losses[0] - losses[1] == pytest.approx(5 * alone, rel=1e-4)


def test_calibration_puts_the_line_of_least_squares_behind_the_scores(
    model: TwoTower, batches: Batches
) -> None:
    model.config = changed(model.config, ranking_loss="listwise")
    head = HeadAlone(model, batches)
    assert len(batches) <= ranking_training._CALIBRATION_BATCHES
    found = [head._scored(each) for each in batches.epoch(0)]
    scores, labels = (np.concatenate(part) for part in zip(*found, strict=True))
    if np.polyfit(scores, labels, 1)[0] < 0:  # an order that is not reversed
        output = head.ranking_head.output_layer
        output.set_weights([-each for each in output.get_weights()])
        scores = -scores
    assert 500 < len(labels) < sum(
        each["is_target"].sum() for each in batches.epoch(0)
    )
    head.calibrate()
    slope, offset = np.polyfit(scores.astype(float), labels.astype(float), 1)
    assert float(head.ranking_head.slope) == pytest.approx(slope, rel=1e-3)
    assert float(head.ranking_head.offset) == pytest.approx(offset, abs=1e-3)
    head.calibrate()  # again: from the scores, not from what it made of them
    assert float(head.ranking_head.slope) == pytest.approx(slope, rel=1e-3)


def test_a_head_that_learns_the_labels_themselves_is_left_alone(
    model: TwoTower, batches: Batches
) -> None:
    HeadAlone(model, batches).calibrate()
    assert float(model.ranking_head.slope) == 1.0
    assert float(model.ranking_head.offset) == 0.0


def test_a_line_by_hand() -> None:
    # Deviations of the scores -1, 0, 1; of the labels -.1, -.1, .2: the slope
    # is .3 / 2, and the line goes through (3, .3).
    scores, labels = np.array([2.0, 3, 4]), np.array([0.2, 0.2, 0.5])
    slope, offset = fitted_line(scores, labels)
    assert slope == pytest.approx(0.15)
    assert offset == pytest.approx(0.3 - 0.15 * 3)


def test_a_line_never_turns_the_order_round() -> None:
    slope, offset = fitted_line(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert 0 < slope < 0.01
    assert offset + slope * 0.5 == pytest.approx(0.5)


def test_equal_scores_say_the_mean_label_and_none_say_nothing() -> None:
    slope, offset = fitted_line(np.full(3, 7.0), np.array([0.0, 0.5, 1.0]))
    assert slope * 7.0 + offset == pytest.approx(0.5)
    assert fitted_line(np.zeros(0), np.zeros(0)) == (1.0, 0.0)
