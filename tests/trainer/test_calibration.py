"""What is weighed on validation events, against a search by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from trainer import behaviour
from trainer.calibration import calibrate
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.evaluation import Queries
from trainer.prepare import prepare
from trainer.restored import restore
from trainer.run import Run
from trainer.scoring import ModelScorer
from trainer.tables import load_dataset
from trainer.text_config import TextConfig

HOUR, START = 3600, 1_700_000_000
ITEMS, USERS, EVENTS = 160, 60, 1_600
TOPICS = "apple bread cheese dates eggs flour grapes honey".split()


def write_tables(folder: Path) -> None:
    """Each hour brings an item; users choose new ones, of their own topic."""
    rng = np.random.default_rng(5)
    folder.mkdir()
    topic = rng.integers(0, len(TOPICS), ITEMS)
    lines = ["item_id,title"]
    lines += [
        f"i{item:03},{' '.join([TOPICS[topic[item]]] * 3)} {item}"
        for item in range(ITEMS)
    ]
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    lines = ["user_id,item_id,timestamp"]
    times = rng.integers(START + 20 * HOUR, START + ITEMS * HOUR, EVENTS)
    for time in np.sort(times).tolist():
        user, newest = rng.integers(USERS), (time - START) // HOUR
        lately = np.arange(newest - 20, newest)
        own = lately[topic[lately] == user % len(TOPICS)]
        item = rng.choice(own if len(own) else lately)
        lines.append(f"u{user},i{item:03},{time}")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("topics")
    write_tables(folder / "data")
    config = RunConfig(
        text=TextConfig(text_encoder="tiny", max_tokens=16),
        model=ModelConfig(embedding_dim=16, text_part_dim=16, lstm_units=12),
        # Towers that know little yet, beside which texts tell something.
        training=TrainingConfig(epochs=1, learning_rate=1e-4),
        data=DataConfig(max_history=8, split="time", validation_share=0.2),
    )
    dataset = load_dataset(
        str(folder / "data"), config.data,
        rejects_dir=folder / "rejects", now=START + ITEMS * HOUR,
    )
    run = Run(prepare(dataset, config), config, folder / "job")
    run.fit()
    return run


@pytest.fixture
def queries(run: Run) -> Queries:
    return run.queries(behaviour.VALIDATION)


@pytest.fixture(autouse=True)
def weights_kept(run: Run) -> Iterator[None]:
    part = run.model.item_tower.text_part
    before = [weight.numpy() for weight in part.weights]
    yield
    for weight, value in zip(part.weights, before, strict=True):
        weight.assign(value)


def loss(run: Run, queries: Queries) -> float:
    """Mean cross-entropy of the targets that may be recommended."""
    numbers = np.arange(len(queries))
    scores = ModelScorer(run.model, run.prepared, queries)(numbers)
    queries.exclude(scores, numbers)
    logits = scores.astype(np.float64) / run.config.model.temperature
    of_target = logits[numbers, queries.items]
    losses = np.log(np.exp(logits).sum(axis=1)) - of_target
    return float(losses[np.isfinite(of_target)].mean())


@pytest.mark.parametrize("name", ["share_logit", "new_item_log_scale"])
def test_what_is_fitted_makes_the_targets_likeliest(run, queries, name):
    variable = getattr(run.model.item_tower.text_part, name)
    found, fitted = loss(run, queries), float(variable)
    step = 0.5 if name == "share_logit" else 0.1
    for moved in (fitted - step, fitted + step):
        variable.assign(moved)
        assert loss(run, queries) > found


def test_new_items_that_people_want_get_longer_vectors(run, queries):
    trust = run.model.id_trust.numpy()
    assert np.count_nonzero(trust[queries.items] == 0) > 150
    part = run.model.item_tower.text_part
    assert float(part.new_item_log_scale) > 1.2 * np.log(
        run.config.model.new_item_scale
    )


def test_of_few_new_items_the_setting_stands(run, queries):
    is_new = run.model.id_trust.numpy()[queries.items] == 0
    few = np.flatnonzero(~is_new | (np.cumsum(is_new) < 100))
    chosen = dataclasses.replace(
        queries, targets=queries.targets[few], user=queries.user[few]
    )
    calibrate(run.model, run.prepared, chosen)
    part = run.model.item_tower.text_part
    assert float(part.new_item_log_scale) == pytest.approx(
        np.log(run.config.model.new_item_scale)
    )


def test_without_validation_events_the_settings_stand(run, queries):
    nothing = dataclasses.replace(
        queries, targets=queries.targets[:0], user=queries.user[:0]
    )
    calibrate(run.model, run.prepared, nothing)
    part = run.model.item_tower.text_part
    assert float(part.share_logit) == pytest.approx(np.log(0.1 / 0.9))
    assert part.axes.numpy().any()


def test_a_second_calibration_finds_the_same(run, queries):
    """A killed run calibrates again, and must not move on from there."""
    part = run.model.item_tower.text_part
    before = [weight.numpy() for weight in part.weights]
    part.share_logit.assign(2.0)
    calibrate(run.model, run.prepared, queries)
    for weight, value in zip(part.weights, before, strict=True):
        np.testing.assert_allclose(weight, value, atol=1e-4)


def test_a_restored_model_is_calibrated(run, queries):
    model, _ = restore(run.prepared, run.config, run.job_dir)
    np.testing.assert_allclose(
        ModelScorer(model, run.prepared, queries)(np.arange(20)),
        ModelScorer(run.model, run.prepared, queries)(np.arange(20)),
        atol=1e-5,
    )
