"""Agreement by a slow ranking, speeds by a clock that is told the time."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from trainer.pretraining import comparison
from trainer.pretraining.comparison import (
    as_lines,
    rank_correlation,
    texts_per_second,
)


def slow_ranks(vectors: np.ndarray) -> list[int]:
    cosines = [
        float(a @ b) for a, b in itertools.combinations(vectors, 2)
    ]
    return [sum(other < own for other in cosines) for own in cosines]


def test_agreement_is_pearsons_correlation_of_ranks():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(7, 3)), rng.normal(size=(7, 5))
    a, b = (np.array(slow_ranks(v)) for v in (first, second))
    a, b = a - a.mean(), b - b.mean()
    wanted = (a @ b) / np.sqrt((a @ a) * (b @ b))
    assert rank_correlation(first, second) == pytest.approx(wanted)
    assert abs(wanted) < 0.9


def test_a_turned_space_agrees_fully_and_its_opposite_not_at_all():
    vectors = np.random.default_rng(2).normal(size=(6, 4))
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))
    assert rank_correlation(vectors, vectors @ turn) == pytest.approx(1)


def test_a_slow_pass_does_not_decide_a_speed(monkeypatch):
    now = [0.0]
    # The first pass of each traces; of the others the median is 4, and 1.
    slowness = {"large": [90.0, 4, 4, 90, 90, 1], "small": [9.0, 1, 1, 5, 5, 1]}

    def encoder(name: str) -> SimpleNamespace:
        def encode_bulk(texts: list[str]) -> None:
            now[0] += slowness[name].pop(0)

        return SimpleNamespace(encode_bulk=encode_bulk)

    monkeypatch.setattr(comparison.time, "perf_counter", lambda: now[0])
    speeds = texts_per_second([encoder("large"), encoder("small")], ["a"] * 8)
    assert speeds == [2.0, 8.0]


def test_a_person_reads_figures_before_and_after():
    lines = as_lines({
        "held_out_texts": 7, "agreement_before": 0.12, "agreement_after": 0.9,
        "teacher": {"weights": 12_345, "size_mb": 9.87, "texts_per_s": 10.4},
        "student": {"weights": 678, "size_mb": 0.5, "texts_per_s": 99.6},
    })
    assert [line.split() for line in lines[1:3]] == [
        ["teacher", "12,345", "9.9", "10"], ["student", "678", "0.5", "100"]
    ]
    assert "7 held-out texts: 0.120 before, 0.900 after" in lines[3]
