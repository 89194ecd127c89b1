"""Intervals against the normal law and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from event_tables import make_events

from trainer import intervals
from trainer.behaviour import build_sequences
from trainer.config import DataConfig
from trainer.evaluation import Queries, Ranking, build_queries
from trainer.metrics import UNREACHABLE


def test_an_interval_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 4_000)
    low, high = intervals.bootstrap({"x": values}, seed=0)["x"]
    error = values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=error / 5)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=error / 5)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    covered = 0
    for trial in range(200):
        hits = (generator.random(300) < 0.3).astype(float)
        low, high = intervals.bootstrap({"x": hits}, seed=trial)["x"]
        covered += low <= 0.3 <= high
    assert 180 <= covered <= 199  # 190 expected, standard deviation 3


def test_values_that_are_all_alike_have_no_width() -> None:
    found = intervals.bootstrap({"x": np.full(7, 0.25)}, seed=0)
    assert found == {"x": (0.25, 0.25)}


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    values = {"x": np.random.default_rng(0).random(50)}
    first = intervals.bootstrap(values, seed=3)
    assert intervals.bootstrap(values, seed=3) == first
    assert intervals.bootstrap(values, seed=4) != first


def test_blocks_of_resamples_do_not_change_the_law(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {"x": np.arange(40.0), "y": np.zeros(40)}
    whole = intervals.bootstrap(values, seed=0, resamples=37)
    monkeypatch.setattr(intervals, "_BLOCK", 160)  # four resamples at a time
    assert intervals.bootstrap(values, seed=0, resamples=37) == whole


def test_means_come_with_their_intervals() -> None:
    found = intervals.with_intervals({"x": np.array([0.0, 1.0])}, seed=0)
    assert found == {"x": {"value": 0.5, "low": 0.0, "high": 1.0}}


def test_no_queries_have_no_intervals() -> None:
    assert intervals.with_intervals({"x": np.zeros(0)}, seed=0) == {}


def queries_by_train_events(counts: list[int]) -> Queries:
    """One user per item, with `counts[item]` train events and a target."""
    items = [i for i, n in enumerate(counts) for _ in range(n + 1)]
    split = [k for n in counts for k in ["train"] * n + ["test"]]
    events = make_events(
        user=items, timestamp=range(len(items)), item=items,
        split=np.array(split, object),
    )
    # No validation rows: none of the train rows may move there.
    config = DataConfig(split="column", validation_share=0.0)
    sequences = build_sequences(events, config, 0)
    return build_queries(
        sequences, np.flatnonzero(sequences.split == 2),
        num_items=len(counts), exclude_seen=False,
    )


def test_the_cold_curve_groups_targets_by_their_train_events() -> None:
    queries = queries_by_train_events([0, 1, 2, 3, 4, 7, 8, 15, 16, 32, 40])
    ranks = np.array([UNREACHABLE, 11, 1, 11, 10, 2, 3, 99, 1, 12, 1])
    ranking = Ranking(
        ranks=ranks, lists=ranks[:, None], novelty=ranks * 0.0,
        coverage=0.0, gini=0.0,
    )
    curve = intervals.cold_curve(queries, ranking, seed=0)
    assert [
        (point["train_events"], point["queries"], point["recall@10"])
        for point in curve
    ] == [
        ("0", 1, 0.0), ("1", 1, 0.0), ("2-3", 2, 0.5), ("4-7", 2, 1.0),
        ("8-15", 2, 0.5), ("16-31", 1, 1.0), ("32+", 2, 0.5),
    ]
    assert all(0 <= p["low"] <= p["recall@10"] <= p["high"] for p in curve)


def test_a_bin_without_queries_is_left_out() -> None:
    queries = queries_by_train_events([5])
    ranking = Ranking(
        ranks=np.array([1]), lists=np.zeros((1, 1), int),
        novelty=np.zeros(1), coverage=0.0, gini=0.0,
    )
    curve = intervals.cold_curve(queries, ranking, seed=0)
    assert [point["train_events"] for point in curve] == ["4-7"]
