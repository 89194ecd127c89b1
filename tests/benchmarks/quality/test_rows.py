"""Rows of a table: which runs they gather, and over what."""

from __future__ import annotations

from pathlib import Path

import finished
import numpy as np
import pytest

from benchmarks.quality.results import Result, read_all
from benchmarks.quality.rows import Row, rows_of, sections
from benchmarks.quality.treatments import Treatment

MODEL = {"model": [1, 1, 1, 20, 20, 20]}
BOTH = {**MODEL, "popularity": [9, 9, 9, 9, 9, 9]}


def is_hit(ranks: np.ndarray) -> np.ndarray:
    return (ranks <= 10).astype(float)


def first_two(run: Result) -> np.ndarray:
    return np.arange(6) < 2


@pytest.fixture
def out(tmp_path: Path) -> Path:
    finished.write(tmp_path, finished.job(0), BOTH)
    finished.write(tmp_path, finished.job(1), {
        "model": [1, 1, 1, 1, 20, 20], "popularity": [9] * 6,
    })
    other = finished.job(1, variant="id-only")
    finished.write(tmp_path, other, {"model": [20] * 6, "popularity": [1] * 6})
    return tmp_path


def row(out: Path, label: str) -> Row:
    return next(r for r in rows_of(read_all(out)) if r.label == label)


def test_baselines_come_first_and_models_by_name(out: Path) -> None:
    assert [(r.label, len(r.runs)) for r in rows_of(read_all(out))] == [
        ("popularity", 2), ("**full (base)**", 2), ("**id-only (base)**", 1)
    ]


def test_a_baseline_has_one_run_per_seed(out: Path) -> None:
    """Both variants of seed 1 have brought it: the first one counts."""
    seeds = [run.job.seed for run in row(out, "popularity").runs]
    assert seeds == [0, 1]
    assert row(out, "popularity").mean("recall@5") == 0


def test_estimates_are_over_all_runs(out: Path) -> None:
    found = row(out, "**full (base)**").estimate(is_hit)
    assert found is not None
    assert found.mean == pytest.approx((3 / 6 + 4 / 6) / 2)
    # Two runs that differ by d: d / sqrt(2).
    assert found.spread == pytest.approx((1 / 6) / 2**0.5)
    assert found.low <= found.mean <= found.high


def test_a_choice_narrows_what_is_measured(out: Path) -> None:
    model = row(out, "**full (base)**")
    assert model.average(is_hit, first_two) == 1.0
    assert model.estimate(is_hit, first_two).mean == 1.0
    nobody = np.zeros(6, bool)
    assert model.average(is_hit, lambda _: nobody) is None
    assert model.estimate(is_hit, lambda _: nobody) is None


def test_text_rows_are_told_apart_by_encoder(tmp_path: Path) -> None:
    for seed, encoder in enumerate(["minilm", "tiny"]):
        finished.write(
            tmp_path, finished.job(seed), {**MODEL, "text-knn-last": [1] * 6},
            text_encoder=encoder,
        )
    labels = [r.label for r in rows_of(read_all(tmp_path))]
    assert labels[:2] == ["text-knn-last (minilm)", "text-knn-last (tiny)"]


def test_sections_are_by_data_and_treatment(out: Path) -> None:
    tied = finished.job(treatment=Treatment("shuffle-ties"))
    finished.write(out, tied, MODEL)
    finished.write(out, finished.job(data="albums"), MODEL)
    found = sections(read_all(out))
    assert {key: len(runs) for key, runs in found.items()} == {
        ("albums", ""): 1, ("books", ""): 3, ("books", "shuffle-ties"): 1
    }


def test_costs_are_means_over_seeds(tmp_path: Path) -> None:
    for seed, seconds in enumerate([10.0, 30.0]):
        finished.write(
            tmp_path, finished.job(seed), MODEL, training_seconds=seconds
        )
    assert row(tmp_path, "**full (base)**").cost("training_seconds") == 20
