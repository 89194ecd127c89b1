"""A run's folder: claims, whole files, marks of settings and data."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from event_tables import make_dataset, make_events

from trainer import job
from trainer.config import DataConfig, RunConfig, TrainingConfig
from trainer.prepare import Prepared, prepare
from trainer.tables import Items, Users

CONFIG = RunConfig(data=DataConfig(split="leave_one_out"))


def mark(titles: str = "abcdef", profile: str = "tea", **columns: list) -> str:
    """Fingerprint of a small data set, with what the caller changes."""
    events = make_events(
        user=[0, 0, 0, 0, 1, 1],
        **{
            "timestamp": [1, 2, 3, 4, 1, 2],
            "item": [0, 1, 2, 3, 4, 5],
            "event_type": [0, 1, 0, 1, 0, 1],
            "rating": [1, 2, 3, 4, 5, 4],
            **columns,
        },
    )
    items = Items([f"i{row}" for row in range(6)], {"title": list(titles)})
    users = Users(["u0"], [profile])
    data = make_dataset(events, items, users)
    return job.fingerprint(prepare(data, CONFIG), CONFIG)


@pytest.fixture
def prepared() -> Prepared:
    events = make_events(user=[0, 0], timestamp=[1, 2], item=[0, 1])
    return prepare(make_dataset(events), CONFIG)


def test_equal_settings_and_data_have_one_fingerprint() -> None:
    assert mark() == mark()


@pytest.mark.parametrize(
    "change",
    [
        {"item": [0, 1, 2, 4, 3, 5]},
        {"timestamp": [1, 2, 3, 40, 1, 2]},
        {"timestamp": [101, 102, 103, 104, 101, 102]},
        {"event_type": [0, 1, 0, 0, 0, 1]},
        {"scenario": [0, 1, 0, 0, 0, 0]},
        {"rating": [1, 2, 3, 3, 5, 4]},
        {"rating": [2, 4, 6, 8, 10, 8]},
        {"titles": "abcdeF"},
        {"profile": "coffee"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_data_has_another_fingerprint(change: dict[str, Any]) -> None:
    assert mark(**change) != mark()


def test_other_settings_have_another_fingerprint(prepared: Prepared) -> None:
    other = dataclasses.replace(CONFIG, training=TrainingConfig(seed=1))
    assert job.fingerprint(prepared, CONFIG) != job.fingerprint(prepared, other)


def test_a_fingerprint_is_the_same_in_every_process(prepared: Prepared) -> None:
    found = job.fingerprint(prepared, CONFIG)
    assert len(found) == 16
    assert int(found, 16) >= 0
    copied = dataclasses.replace(
        prepared, labels=np.array(prepared.labels), profile_texts=[""]
    )
    assert job.fingerprint(copied, CONFIG) == found


def test_a_new_folder_is_claimed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    job.claim_job_dir(folder, "abc")
    assert json.loads((folder / "run.json").read_text()) == {
        "fingerprint": "abc"
    }


def test_the_same_run_may_claim_its_folder_again(tmp_path: Path) -> None:
    for _ in range(2):
        job.claim_job_dir(tmp_path, "abc")


def test_a_folder_of_another_run_is_refused_with_a_remedy(
    tmp_path: Path
) -> None:
    job.claim_job_dir(tmp_path, "abc")
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(ValueError, match=r"abc, now xyz.*--restart") as error:
        job.claim_job_dir(tmp_path, "xyz")
    assert str(tmp_path) in str(error.value)
    job.claim_job_dir(tmp_path, "abc")


def test_a_run_that_failed_at_once_leaves_the_folder_to_its_mended_command(
    tmp_path: Path
) -> None:
    job.claim_job_dir(tmp_path, "misspelt")
    job.claim_job_dir(tmp_path, "mended")
    found = json.loads((tmp_path / "run.json").read_text())
    assert found == {"fingerprint": "mended"}


def test_a_forgotten_run_leaves_the_folder_to_another(tmp_path: Path) -> None:
    job.claim_job_dir(tmp_path, "abc")
    (tmp_path / "checkpoints").mkdir()
    job.forget_run(tmp_path)
    job.claim_job_dir(tmp_path, "xyz")


def test_bundles_and_cached_texts_outlive_a_forgotten_run(
    tmp_path: Path
) -> None:
    for name in ("checkpoints", "tensorboard", "export", "text_cache"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("content")
    job.forget_run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "export", "text_cache"
    ]


def test_there_may_be_nothing_to_forget(tmp_path: Path) -> None:
    job.forget_run(tmp_path)
    job.forget_run(tmp_path / "never made")


def test_a_written_file_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    job.write_json(path, {"b": [1, 2.5], "c": {"d": None}})
    assert json.loads(path.read_text()) == {"b": [1, 2.5], "c": {"d": None}}
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_a_write_that_is_cut_short_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    job.write_json(path, {"old": 1})

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job.os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        job.write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}


def test_content_that_is_no_json_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    job.write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        job.write_json(path, {"new": object()})
    assert json.loads(path.read_text()) == {"old": 1}


def test_a_clock_adds_the_blocks_of_a_stage(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([10.0, 11.5, 20.0, 20.25, 30.0, 34.0])
    fake = SimpleNamespace(monotonic=lambda: next(moments))
    monkeypatch.setattr(job, "time", fake)
    clock = job.Clock()
    for name in ("read", "read", "train"):
        with clock.stage(name):
            pass
    assert clock.seconds == {"read": 1.75, "train": 4.0}


def test_memory_is_told_in_megabytes() -> None:
    # TensorFlow is loaded: more than 50 MB, and less than this machine has.
    assert 50 < job.peak_memory_mb() < 1_000_000
