"""Fitting: the same every time, resumed where it stopped, stopped in time."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from event_tables import make_dataset, make_events

from trainer.batches import Batch
from trainer.behaviour import train_windows
from trainer.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
)
from trainer.model import TwoTower
from trainer.model_inputs import ModelInputs
from trainer.prepare import Prepared, prepare
from trainer.strategies import open_strategy
from trainer.training import Batches, Fit

USERS, EVENTS, ITEMS = 20, 5, 6
CONFIG = RunConfig(
    data=DataConfig(split="leave_one_out"),
    model=ModelConfig(embedding_dim=4, lstm_units=4, dropout=0, id_dropout=0),
    training=TrainingConfig(epochs=3, batch_size=8, learning_rate=0.05),
)


class Watched(Batches):
    """Training batches that note which epochs were asked for."""

    def __init__(self, prepared: Prepared, settings: TrainingConfig) -> None:
        windows = train_windows(prepared.sequences, max_history=10)
        super().__init__(prepared, windows, settings)
        self.epochs: list[int] = []

    def epoch(self, number: int) -> Iterator[Batch]:
        self.epochs.append(number)
        return super().epoch(number)


class Trial:
    """A new model over the same data, to be fitted in a job folder."""

    def __init__(self, job_dir: Path, text: float = 1.0, **changes) -> None:
        settings = dataclasses.replace(CONFIG.training, **changes)
        config = dataclasses.replace(CONFIG, training=settings)
        prepared = _prepared(config)
        tf.keras.utils.set_random_seed(settings.seed)
        self.model = TwoTower(config, _inputs(prepared, text), encoder=None)
        self.batches = Watched(prepared, settings)
        self.job_dir = job_dir
        self.fit = Fit(
            self.model, self.batches, settings,
            strategy=open_strategy("none"), job_dir=job_dir,
        )
        self.batches.epochs.clear()  # making the variables took one

    def weights(self) -> list[np.ndarray]:
        return [v.numpy() for v in self.model.trainable_variables]


def _prepared(config: RunConfig) -> Prepared:
    draw = np.random.default_rng(0)
    events = make_events(
        user=np.repeat(range(USERS), EVENTS),
        timestamp=np.tile(range(EVENTS), USERS),
        item=draw.integers(0, ITEMS, USERS * EVENTS),
        rating=draw.integers(1, 6, USERS * EVENTS),
    )
    return prepare(make_dataset(events), config)


def _inputs(prepared: Prepared, text: float) -> ModelInputs:
    draw = np.random.default_rng(1)
    return ModelInputs(
        text=text * draw.normal(size=(ITEMS, 3)).astype(np.float32),
        category_codes=prepared.catalogue.category_codes,
        brand_codes=prepared.catalogue.brand_codes,
        counts=prepared.catalogue.counts,
        profiles=np.zeros((1, 3), np.float32),
        num_categories=0,
        num_brands=0,
        num_scenarios=len(prepared.scenarios) + 1,
        num_event_types=len(prepared.event_types) + 1,
        has_labels=True,
    )


def scores(*values: float) -> Callable[[], float]:
    """Validation that finds these scores, one after the other."""
    return iter(values).__next__


def assert_equal(one: list[np.ndarray], two: list[np.ndarray]) -> None:
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


def logged_losses(job_dir: Path) -> list[float]:
    """Mean losses of the epochs, in the order of the TensorBoard logs."""
    files = sorted(map(str, (job_dir / "tensorboard").glob("events*")))
    return [
        float(tf.make_ndarray(value.tensor))
        for file in files
        for event in tf.compat.v1.train.summary_iterator(file)
        for value in event.summary.value
        if value.tag == "train/loss"
    ]


def history(job_dir: Path) -> list[dict]:
    return json.loads((job_dir / "history.json").read_text())


# To trace a step takes seconds, so that tests share what they only look at.


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Three epochs, each better than the one before."""
    trial = Trial(tmp_path_factory.mktemp("unbroken"))
    trial.fit.run(scores(0.1, 0.2, 0.3))
    return trial


@dataclasses.dataclass
class Resumed:
    """The same three epochs, stopped in the second and taken up again.

    Attributes:
        before: the history when it had stopped.
        epochs: how many were finished in the end.
        output: what was printed after that.
    """

    trial: Trial
    before: list[dict]
    epochs: int
    output: str


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    def interrupted() -> float:
        if len(stopped.batches.epochs) == 2:
            raise KeyboardInterrupt
        return 0.1

    folder = tmp_path_factory.mktemp("resumed")
    stopped = Trial(folder)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit.run(interrupted)
    before, output = history(folder), io.StringIO()
    trial = Trial(folder)
    with contextlib.redirect_stdout(output):
        progress = trial.fit.run(scores(0.2, 0.3))
    return Resumed(trial, before, int(progress.epoch), output.getvalue())


@dataclasses.dataclass
class Peaked:
    """Four epochs whose second is the best, and the weights after each."""

    trial: Trial
    best_epoch: int
    after: list[list[np.ndarray]]


@pytest.fixture(scope="module")
def peaked(tmp_path_factory: pytest.TempPathFactory) -> Peaked:
    trial = Trial(tmp_path_factory.mktemp("peaked"), epochs=4)
    after: list[list[np.ndarray]] = []
    score = scores(0.1, 0.5, 0.4, 0.2)

    def validate() -> float:
        after.append(trial.weights())
        return score()

    progress = trial.fit.run(validate)
    return Peaked(trial, int(progress.best_epoch), after)


def copied(trial: Trial, folder: Path) -> Path:
    shutil.copytree(trial.job_dir, folder / "job")
    return folder / "job"


def test_one_seed_gives_one_loss_and_one_set_of_weights(unbroken, tmp_path):
    trial = Trial(tmp_path)
    trial.fit.run(scores(0.1, 0.2, 0.3))
    assert_equal(trial.weights(), unbroken.weights())
    losses = logged_losses(tmp_path)
    assert losses == logged_losses(unbroken.job_dir)
    assert len(losses) == 3
    assert losses[2] < losses[0]


def test_a_stopped_fit_goes_on_after_the_last_finished_epoch(resumed):
    assert "resuming after epoch 1\n" in resumed.output
    assert resumed.trial.batches.epochs == [1, 2]  # counted from 0
    assert resumed.epochs == 3


def test_a_resumed_fit_ends_where_an_unbroken_one_does(resumed, unbroken):
    assert_equal(resumed.trial.weights(), unbroken.weights())
    assert logged_losses(resumed.trial.job_dir) == pytest.approx(
        logged_losses(unbroken.job_dir)
    )


def test_a_finished_fit_trains_no_more(peaked, tmp_path):
    again = Trial(copied(peaked.trial, tmp_path), epochs=4)
    again.fit.run(scores())
    assert again.batches.epochs == []
    assert_equal(again.weights(), peaked.trial.weights())


def test_training_stops_when_validation_no_longer_improves(tmp_path):
    trial = Trial(tmp_path, epochs=9, patience=2)
    trial.fit.run(scores(0.1, 0.5, 0.4, 0.5, 0.9))
    assert trial.batches.epochs == [0, 1, 2, 3]


def test_the_weights_of_the_best_epoch_are_kept(peaked):
    assert len(peaked.after) == 4
    assert peaked.best_epoch == 2
    assert_equal(peaked.trial.weights(), peaked.after[1])
    with pytest.raises(AssertionError):
        assert_equal(peaked.after[1], peaked.after[3])


def test_the_best_weights_are_replaced_once_and_come_back(tmp_path):
    trial = Trial(tmp_path)
    trial.fit.run(scores(0.1, 0.5, 0.2))
    for variable in trial.model.trainable_variables:
        variable.assign(variable + 1)
    trial.fit.replace_best()
    again = Trial(tmp_path)
    again.fit.run(scores())
    assert_equal(again.weights(), trial.weights())
    (file,) = (tmp_path / "checkpoints" / "best").glob("*.index")
    written = file.stat().st_mtime_ns
    again.fit.replace_best()
    (file,) = (tmp_path / "checkpoints" / "best").glob("*.index")
    assert file.stat().st_mtime_ns == written


def test_a_loss_that_is_no_number_stops_with_a_remedy(tmp_path):
    trial = Trial(tmp_path, text=np.nan)
    with pytest.raises(
        FloatingPointError,
        match="at step 1 of epoch 1; lower learning_rate or clip_norm",
    ):
        trial.fit.run(scores())
    assert not list((tmp_path / "checkpoints").rglob("*.index"))


def test_an_epoch_has_every_window_once_and_its_length_is_known():
    batches = Watched(_prepared(CONFIG), CONFIG.training)
    sizes = [len(batch["length"]) for batch in batches.epoch(0)]
    assert sum(sizes) == USERS
    assert len(batches) == len(sizes) == 3


def test_the_history_has_a_line_per_epoch_and_survives_a_resume(resumed):
    assert [line["epoch"] for line in resumed.before] == [1]
    job_dir = resumed.trial.job_dir
    lines = history(job_dir)
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert [line["validation_ndcg@10"] for line in lines] == [0.1, 0.2, 0.3]
    assert [line["loss"] for line in lines] == pytest.approx(
        logged_losses(job_dir)
    )
    assert all(line["seconds"] >= 0 for line in lines)


def test_an_epoch_that_is_run_again_replaces_its_line(unbroken, tmp_path):
    job_dir = copied(unbroken, tmp_path)
    shutil.rmtree(job_dir / "checkpoints")
    Trial(job_dir).fit.run(scores(0.6, 0.5, 0.4))
    found = [line["validation_ndcg@10"] for line in history(job_dir)]
    assert found == [0.6, 0.5, 0.4]
