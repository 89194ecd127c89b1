"""Mean, spread and interval over seeds and users."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.pooling import bootstrap_ratio, pool
from trainer.intervals import bootstrap


def test_mean_and_spread_are_over_the_runs() -> None:
    users = [np.array(["a", "b"])] * 3
    values = [np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.array([0.0, 0.0])]
    found = pool(users, values)
    assert found.mean == pytest.approx(0.5)
    # Means .5, 1, 0: deviations 0, .5, -.5, so sqrt((.25 + .25) / 2).
    assert found.spread == pytest.approx(0.5)


def test_one_run_has_no_spread() -> None:
    assert pool([np.array(["a", "b"])], [np.array([1.0, 0.0])]).spread is None


def test_one_query_a_user_gives_the_interval_of_the_trainer(rng) -> None:
    values = (rng.random(400) < 0.3).astype(float)
    expected = bootstrap({"x": values}, seed=9)["x"]
    found = bootstrap_ratio(values, np.ones(400), seed=9)
    assert found == pytest.approx(expected, abs=1e-12)


def test_users_are_averaged_over_runs_before_they_are_drawn(rng) -> None:
    users = np.array([f"u{n}" for n in range(300)])
    runs = [rng.random(300) for _ in range(3)]
    order = rng.permutation(300)  # runs need not have one order
    found = pool(
        [users, users[order], users], [runs[0], runs[1][order], runs[2]]
    )
    # Users stand in the order of their names.
    mean = np.mean(runs, axis=0)[np.argsort(users)]
    expected = bootstrap({"x": mean}, seed=0)["x"]
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


def test_a_users_queries_are_drawn_together(rng) -> None:
    """Queries that repeat each other say no more than one of them."""
    users = np.array([f"u{n}" for n in range(200)])
    values = (rng.random(200) < 0.5).astype(float)
    once = pool([users], [values])
    repeated = pool([np.repeat(users, 9)], [np.repeat(values, 9)])
    assert (once.low, once.high) == (repeated.low, repeated.high)


def test_a_ratio_weighs_users_by_their_queries(rng) -> None:
    """By the slow way: draw users one by one, divide the sums."""
    count = rng.integers(1, 6, 40).astype(float)
    total = rng.random(40) * count
    found = bootstrap_ratio(total, count, seed=2)
    ratios = []
    for _ in range(4_000):
        drawn = rng.integers(40, size=40)
        ratios.append(sum(total[drawn]) / sum(count[drawn]))
    expected = np.percentile(ratios, [2.5, 97.5])
    assert found == pytest.approx(expected, abs=0.02)
    assert found[0] < total.sum() / count.sum() < found[1]


def test_a_ratio_that_all_users_share_is_certain(rng) -> None:
    """However many queries are drawn, the ratio stays."""
    count = rng.integers(1, 6, 40).astype(float)
    found = bootstrap_ratio(0.3 * count, count, seed=2)
    assert found == pytest.approx((0.3, 0.3), abs=1e-12)


def test_more_users_than_a_block_holds(rng) -> None:
    values = rng.random(3_000)
    low, high = bootstrap_ratio(values, np.ones(3_000), seed=1)
    error = values.std() / np.sqrt(3_000)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=error / 4)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=error / 4)
