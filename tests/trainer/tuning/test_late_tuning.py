"""Towers that learn by an encoder as it is before they are tuned with it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from killed_scorer import Killed
from small_bert import SMALL_BERT

from trainer import run as run_module
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.job import claim_job_dir
from trainer.late_tuning import tunes_late
from trainer.prepare import Prepared, prepare
from trainer.restored import restore
from trainer.run import Run
from trainer.sample.__main__ import main as make_sample
from trainer.tables import load_dataset
from trainer.text_config import TextConfig
from trainer.training import Fit
from trainer.warm_start import EarlierRun

TRAINING = TrainingConfig(epochs=2, batch_size=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample logs, and the sizes of an encoder."""
    folder = tmp_path_factory.mktemp("late")
    make_sample([str(folder / "data"), "--users", "80", "--items", "60"])
    (folder / "bert.json").write_text(json.dumps(SMALL_BERT))
    return folder


def config(folder: Path, rate: float, epochs: int = 1) -> RunConfig:
    return RunConfig(
        text=TextConfig(
            text_encoder=str(folder / "bert.json"), max_tokens=12,
            tune="lora", tune_size=2, tune_learning_rate=rate,
            tune_epochs=epochs, refresh_moved=2.0,
        ),
        model=ModelConfig(embedding_dim=8, lstm_units=8),
        training=TRAINING,
        data=DataConfig(max_history=6),
    )


@pytest.fixture(scope="module")
def prepared(folder: Path) -> Prepared:
    settings = config(folder, rate=0.05)
    dataset = load_dataset(
        str(folder / "data"), settings.data,
        rejects_dir=folder / "rejects", now=1_800_000_000,
    )
    return prepare(dataset, settings)


@pytest.fixture(scope="module")
def spoilt(prepared: Prepared, folder: Path) -> Run:
    """A run whose encoder loses what it was in an epoch of tuning."""
    run = Run(prepared, config(folder, rate=0.9), folder / "spoilt")
    run.fitted, run.fitted_by = [], []

    def noted(*given: Any, **options: Any) -> Fit:
        run.fitted.append(given[0])
        run.fitted_by.append(given[2])
        return Fit(*given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "Fit", noted)
        run.fit()
    return run


def history(job_dir: Path) -> list[dict[str, float]]:
    return json.loads((job_dir / "history.json").read_text())


def products(run: Run) -> list[np.ndarray]:
    """Those halves of LoRA's products that begin at zero."""
    return [v.numpy() for v in run.encoder.tuned_weights if v.shape[0] == 2]


def test_tuning_begins_where_the_towers_have_got_to(spoilt):
    towers = history(spoilt.job_dir / "towers")
    assert [line["epoch"] for line in towers] == [1, 2]
    start, after = history(spoilt.job_dir)
    assert (start["epoch"], after["epoch"]) == (0, 1)
    reached = max(line["validation_ndcg@10"] for line in towers)
    assert start["validation_ndcg@10"] == pytest.approx(reached, abs=1e-6)
    assert reached > 0.05  # a list of random items has .03


def test_an_epoch_that_spoils_the_encoder_is_not_kept(spoilt, prepared):
    start, after = history(spoilt.job_dir)
    assert after["validation_ndcg@10"] < start["validation_ndcg@10"]
    assert after["texts_moved"] > 0.01
    assert all(not values.any() for values in products(spoilt))
    model, _ = restore(prepared, spoilt.config, spoilt.job_dir)
    towers, tuned = spoilt.fitted
    for each in (tuned, model):
        np.testing.assert_allclose(
            each.catalogue_vectors(), towers.catalogue_vectors(), atol=1e-5
        )


def test_no_checkpoint_of_the_towers_is_left(spoilt):
    assert not (spoilt.job_dir / "towers" / "checkpoints").exists()


def test_a_run_that_is_through_fits_no_towers_again(
    spoilt, prepared, monkeypatch, capsys
):
    monkeypatch.setattr(Fit, "_epoch", None)
    again = Run(prepared, spoilt.config, spoilt.job_dir)
    start, _ = history(spoilt.job_dir)
    assert again.fit() == pytest.approx(start["validation_ndcg@10"])
    assert "no epoch was better than the start" in capsys.readouterr().out


def test_the_towers_take_small_steps_while_the_encoder_is_tuned(spoilt):
    assert spoilt.fitted_by == [
        TRAINING,
        dataclasses.replace(
            TRAINING, epochs=1, learning_rate=TRAINING.learning_rate / 4
        ),
    ]


def test_a_killed_run_goes_on_with_the_towers_or_with_the_encoder(
    prepared, folder, monkeypatch
):
    settings = config(folder, rate=0.05, epochs=2)
    job_dir = folder / "killed"
    for lives in (1, 3):  # an epoch of the towers; their other and two more
        with monkeypatch.context() as patch:
            patch.setattr(run_module, "ModelScorer", Killed(after=lives))
            with pytest.raises(KeyboardInterrupt):
                Run(prepared, settings, job_dir).fit()
    Run(prepared, settings, job_dir).fit()
    assert [line["epoch"] for line in history(job_dir / "towers")] == [1, 2]
    assert [line["epoch"] for line in history(job_dir)] == [0, 1, 2]


def test_a_folder_whose_towers_are_begun_is_not_for_other_settings(tmp_path):
    claim_job_dir(tmp_path, "mine")
    (tmp_path / "towers").mkdir()
    claim_job_dir(tmp_path, "mine")
    with pytest.raises(ValueError, match="other settings or data .mine, now y"):
        claim_job_dir(tmp_path, "yours")


@pytest.fixture(scope="module")
def earlier(prepared: Prepared, folder: Path) -> Run:
    """A run that tuned nothing."""
    tuned = config(folder, rate=0.05)
    run = Run(
        prepared,
        dataclasses.replace(tuned, text=tuned.text.frozen()),
        folder / "earlier",
    )
    run.fit()
    return run


def test_the_towers_of_an_earlier_run_are_not_fitted_again(
    earlier, prepared, folder
):
    run = Run(
        prepared, config(folder, rate=0.05), folder / "later", earlier.job_dir
    )
    run.fit()
    assert not (run.job_dir / "towers").exists()
    start, _ = history(run.job_dir)
    reached = max(
        line["validation_ndcg@10"] for line in history(earlier.job_dir)
    )
    assert start["validation_ndcg@10"] == pytest.approx(reached, abs=1e-6)


def test_tuning_is_kept_where_no_validation_could_say_so(
    earlier, prepared, folder, monkeypatch
):
    queries = Run.queries
    monkeypatch.setattr(
        Run, "queries", lambda run, split, limit: queries(run, split, 0)
    )
    run = Run(
        prepared, config(folder, rate=0.05), folder / "unasked",
        earlier.job_dir,
    )
    run.fit()
    assert [line["epoch"] for line in history(run.job_dir)] == [1]
    assert any(np.abs(values).max() > 1e-3 for values in products(run))


@pytest.mark.parametrize(
    ("tune", "epochs", "before", "is_late"),
    [
        ("lora", 5, None, True),
        ("lora", 5, {"tune": "frozen"}, True),
        ("lora", 5, {}, True),  # of a release that only had frozen ones
        ("lora", 5, {"tune": "lora"}, False),
        ("lora", 0, None, False),
        ("frozen", 5, None, False),
    ],
)
def test_towers_come_first_where_they_do_not_know_the_encoder(
    tune, epochs, before, is_late
):
    text = TextConfig(tune=tune, tune_epochs=epochs)
    earlier = (
        None if before is None else EarlierRun(Path("job"), {}, [], before)
    )
    assert tunes_late(text, earlier) == is_late


def test_what_is_left_of_settings_when_an_encoder_is_frozen():
    text = TextConfig(
        tune="lora", tune_size=2, tune_learning_rate=0.1, tune_epochs=2,
        texts_per_step=9, refresh_steps=3, refresh_moved=0.1, recompute=True,
        max_tokens=12,
    )
    assert text.frozen() == TextConfig(max_tokens=12)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tune_learning_rate", 0.1),
        ("tune_epochs", 0),
        ("texts_per_step", 128),
        ("refresh_steps", 5),
        ("refresh_moved", 0.5),
        ("recompute", True),
    ],
)
def test_a_frozen_encoder_takes_no_setting_of_tuning(setting, value):
    with pytest.raises(ValueError, match=f"^{setting} is {value}, but tune"):
        TextConfig(**{setting: value})
    TextConfig(tune="bitfit", **{setting: value})
