"""A run that tunes: trained with the towers, small on disk, merged to serve."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from killed_scorer import Killed
from small_bert import SMALL_BERT

from schema import features
from trainer import run as run_module
from trainer.behaviour import train_windows
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.model import TwoTower
from trainer.prepare import prepare
from trainer.refresh import Refresh
from trainer.restored import make_variables, restore
from trainer.run import Run
from trainer.sample.__main__ import main as make_sample
from trainer.strategies import open_strategy
from trainer.tables import load_dataset
from trainer.text_config import TextConfig
from trainer.training import Batches, Fit
from trainer.tuned_part import TunedPart
from trainer.warm_start import EarlierRun

TEXTS = ["compact running shoes", "dice set", "a jacket"]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that tunes by LoRA, so fast that it is learnt in an epoch."""
    folder = tmp_path_factory.mktemp("tuned")
    make_sample([str(folder / "data"), "--users", "80", "--items", "60"])
    (folder / "bert.json").write_text(json.dumps(SMALL_BERT))
    config = RunConfig(
        text=TextConfig(
            text_encoder=str(folder / "bert.json"), max_tokens=12,
            tune="lora", tune_size=2, tune_learning_rate=0.05, tune_epochs=0,
            refresh_moved=2.0,
        ),
        model=ModelConfig(embedding_dim=8, lstm_units=8),
        training=TrainingConfig(epochs=1),
        data=DataConfig(max_history=6),
    )
    dataset = load_dataset(
        str(folder / "data"), config.data,
        rejects_dir=folder / "rejects", now=1_800_000_000,
    )
    run = Run(prepare(dataset, config), config, folder / "job")
    run.execute(build_twin=False)
    return run


@pytest.fixture(scope="module")
def found(tuned: Run):
    """The model that comes back, whose products stand beside the weights."""
    return restore(tuned.prepared, tuned.config, tuned.job_dir)


def test_the_products_were_trained(tuned, found):
    ups = [v for v in found[1].tuned_weights if v.shape[0] == 2]
    assert all(np.abs(v.numpy()).max() > 1e-3 for v in ups)


def test_no_towers_come_first_where_no_epochs_are_for_later(tuned):
    assert not (tuned.job_dir / "towers").exists()


def test_the_encoder_learns_at_its_own_rate(tuned, found, tmp_path):
    text = dataclasses.replace(tuned.config.text, tune_learning_rate=1e-6)
    config = dataclasses.replace(tuned.config, text=text)
    shutil.copytree(tuned.job_dir / "text_encoder", tmp_path / "text_encoder")
    run = Run(tuned.prepared, config, tmp_path)
    run.fit()
    slow, fast = (
        [v for v in encoder.tuned_weights if v.shape[0] == 2]
        for encoder in (run.encoder, found[1])
    )
    for one, other in zip(slow, fast, strict=True):
        assert np.abs(one).max() < 1e-3 < np.abs(other).max()


def test_a_checkpoint_has_the_products_and_not_the_encoder(tuned):
    path = tf.train.latest_checkpoint(
        str(tuned.job_dir / "checkpoints" / "best")
    )
    names = [name for name, _ in tf.train.list_variables(path)]
    assert sum("tuned_weights" in n and "OPTIMIZER" not in n for n in names)
    assert not [name for name in names if "bert" in name]


def test_the_bundle_reads_text_as_the_tuned_encoder_does(tuned, found):
    assert_bundle_reads(tuned.job_dir, *found)


def assert_bundle_reads(
    job_dir: Path, model: TwoTower, encoder: TextEncoder
) -> None:
    """Holds embed_item of a bundle against the model that was exported."""
    loaded = tf.saved_model.load(
        str(job_dir / "export" / "recommender" / "1")
    )
    empty = tf.constant([""] * len(TEXTS))
    inputs = {
        name: tf.constant(TEXTS) if name == features.TITLE else empty
        for name in loaded.signatures["embed_item"]
        .structured_input_signature[1]
    }
    served = loaded.signatures["embed_item"](**inputs)["vector"]
    content = model.item_tower.content(
        encoder.pool(tf.constant(encoder.token_table(TEXTS))),
        tf.fill([len(TEXTS), 1], -1), tf.fill([len(TEXTS)], -1),
    )
    wanted = tf.math.l2_normalize(content, axis=-1)
    served, _ = model.item_tower.text_part.split(served)
    np.testing.assert_allclose(served, wanted, atol=1e-5)


def test_the_adapter_folder_is_a_text_encoder(tuned, found, tmp_path):
    folder = tuned.job_dir / "adapter"
    again = load_encoder(
        str(folder), max_tokens=12, corpus=[], folder=tmp_path / "unused"
    )
    np.testing.assert_allclose(
        again.encode_bulk(TEXTS), found[1].encode_bulk(TEXTS), atol=1e-5
    )
    base = load_encoder(
        str(tuned.job_dir / "text_encoder"), max_tokens=12, corpus=[],
        folder=tmp_path / "unused",
    )
    moved = again.encode_bulk(TEXTS) - base.encode_bulk(TEXTS)
    assert np.abs(moved).max() > 1e-4  # above what may differ by rounding


def test_the_run_that_was_exported_gives_what_it_gave(tuned, found):
    np.testing.assert_allclose(
        tuned.model.catalogue_vectors(), found[0].catalogue_vectors(),
        atol=1e-5,
    )


def test_a_warm_start_takes_the_tuned_weights_over(tuned, found, tmp_path):
    run = Run(tuned.prepared, tuned.config, tmp_path / "job", tuned.job_dir)
    model, encoder = run.build(open_strategy("none"))
    make_variables(model)
    EarlierRun.read(tuned.job_dir).load_into(model, tuned.prepared)
    for mine, trained in zip(
        encoder.tuned_weights, found[1].tuned_weights, strict=True
    ):
        np.testing.assert_array_equal(mine, trained)


def test_a_frozen_encoder_is_tuned_from_where_its_towers_are(tuned, tmp_path):
    config = dataclasses.replace(
        tuned.config, text=tuned.config.text.frozen()
    )
    shutil.copytree(
        tuned.job_dir / "text_encoder", tmp_path / "frozen" / "text_encoder"
    )
    frozen = Run(tuned.prepared, config, tmp_path / "frozen")
    frozen.fit()
    run = Run(tuned.prepared, tuned.config, tmp_path / "job", frozen.job_dir)
    model, _ = run.build(open_strategy("none"))
    make_variables(model)
    EarlierRun.read(frozen.job_dir).load_into(model, tuned.prepared)
    model.refresh_texts()
    codes = tf.range(model.num_items)
    np.testing.assert_allclose(
        model.item_vectors(codes), frozen.model.item_vectors(codes), atol=1e-5
    )


def test_the_history_says_how_far_texts_moved(tuned, found, tmp_path):
    base = load_encoder(
        str(tuned.job_dir / "text_encoder"), max_tokens=12, corpus=[],
        folder=tmp_path / "unused",
    )
    texts = tuned.prepared.catalogue.texts
    before, after = (
        encoder.encode_bulk(texts).astype(np.float64)
        for encoder in (base, found[1])
    )
    cosines = (before * after).sum(axis=1)
    cosines /= np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    wanted = 1 - cosines.mean()
    history = json.loads((tuned.job_dir / "history.json").read_text())
    assert len(history) == 1
    assert history[0]["texts_refreshed"] == 1  # after the epoch
    assert history[0]["texts_moved"] == pytest.approx(wanted, rel=0.01)
    assert wanted > 1e-7


def test_no_size_where_none_belongs():
    with pytest.raises(ValueError, match="tune_size is 3, but bitfit has no"):
        TextConfig(tune="bitfit", tune_size=3)


@pytest.fixture(scope="module")
def allocated(tuned: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose ranks are allocated, killed in its second epoch of three."""
    folder = tmp_path_factory.mktemp("allocated")
    unbroken = allocating(tuned, folder / "unbroken")
    unbroken.fit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "ModelScorer", Killed(after=1))
        with pytest.raises(KeyboardInterrupt):
            allocating(tuned, folder / "killed").fit()
    resumed = allocating(tuned, folder / "killed")
    resumed.unbroken = unbroken
    resumed.execute(build_twin=False)
    return resumed


def allocating(tuned: Run, job_dir: Path) -> Run:
    config = dataclasses.replace(
        tuned.config,
        text=dataclasses.replace(tuned.config.text, tune="adalora"),
        # Random draws of a process are not in a checkpoint.
        model=dataclasses.replace(
            tuned.config.model, dropout=0.0, id_dropout=0.0
        ),
        training=dataclasses.replace(
            tuned.config.training, epochs=3, patience=1, batch_size=16
        ),
    )
    shutil.copytree(
        tuned.job_dir / "text_encoder", job_dir / "text_encoder",
        dirs_exist_ok=True,
    )
    return Run(tuned.prepared, config, job_dir)


def test_an_allocation_goes_on_where_it_was_killed(allocated):
    _, encoder = restore(
        allocated.prepared, allocated.config, allocated.job_dir
    )
    wanted = allocated.unbroken.encoder.tuning.weights
    assert encoder.tuning.weights.keys() == wanted.keys()
    for name, variable in encoder.tuning.weights.items():
        np.testing.assert_array_equal(variable, wanted[name], name)


def test_no_epoch_before_the_ranks_are_settled_is_the_best(
    allocated, tmp_path
):
    prepared, settings = allocated.prepared, allocated.config.training
    model, encoder = allocated.build(open_strategy("none"))
    windows = train_windows(prepared.sequences, max_history=6)
    batches = Batches(prepared, windows, settings)
    fit = Fit(
        model, batches, settings, strategy=open_strategy("none"),
        job_dir=tmp_path, tuned=TunedPart(
            encoder.tuned_weights, settings.learning_rate,
            Refresh(model.refresh_texts, model.texts_moved, 0, 0.001),
            encoder.tuning.allocation(settings.epochs * len(batches)),
        ),
    )
    scores = iter([0.9, 0.5, 0.6])
    # They settle in the second epoch of three, at half of the steps.
    assert int(fit.run(lambda: next(scores)).best_epoch) == 3
    assert sum(encoder.tuning.ranks().values()) == 2 * 6


def test_the_ranks_are_the_budget_and_are_told(allocated, capsys):
    metrics = json.loads((allocated.job_dir / "metrics.json").read_text())
    assert sum(metrics["ranks"].values()) == 2 * 6  # of six kernels
    kernels = ("query", "key", "value", "attention", "inner", "output")
    assert list(metrics["ranks"]) == [f"0/{name}" for name in kernels]
    with np.load(allocated.job_dir / "adapter" / "weights.npz") as weights:
        kept = {
            name.removesuffix("/values"): np.count_nonzero(weights[name])
            for name in weights
            if name.endswith("values")
        }
    assert kept == metrics["ranks"]


def test_a_bundle_reads_as_ranks_beside_the_weights_do(allocated):
    found = restore(allocated.prepared, allocated.config, allocated.job_dir)
    np.testing.assert_allclose(
        allocated.model.catalogue_vectors(), found[0].catalogue_vectors(),
        atol=1e-5,
    )
    assert_bundle_reads(allocated.job_dir, *found)
