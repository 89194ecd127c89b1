"""The comparison of searches: what it counts, against sums by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.serving import search
from benchmarks.serving.planted_vectors import planted


class Narrow:
    """Finds as many of the best as its setting says."""

    name = "narrow"
    settings = (1, 2, 3, 4)

    def __init__(self, items: np.ndarray) -> None:
        self._items, self._setting = items, 0

    def use(self, setting: int) -> None:
        self._setting = setting

    def __call__(self, queries: np.ndarray, k: int) -> np.ndarray:
        best = np.argsort(-queries @ self._items.T)[:, :k]
        best[:, self._setting :] = -1
        return best


@pytest.fixture
def items(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(40, 6)).astype(np.float32)


def test_recall_is_the_share_of_the_best_that_is_found():
    found = np.array([[4, 1, 7, 9], [0, 1, 2, 3]])
    best = np.array([[9, 8, 4, 6], [3, 2, 1, 0]])
    assert search.recall(found, best).tolist() == [0.5, 1.0]


def test_the_best_rows_are_those_of_the_greatest_products(items, rng):
    queries = rng.normal(size=(120, 6)).astype(np.float32)
    found = np.sort(search.best_rows(items, queries, k=5))
    expected = np.sort(np.argsort(-(queries @ items.T))[:, :5])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("wanted", "setting"), [(0.2, 1), (0.5, 2), (0.7, 3), (1.0, 4), (1.1, 4)]
)
def test_the_first_setting_that_finds_enough_is_chosen(items, wanted, setting):
    searcher = Narrow(items)
    best = search.best_rows(items, items[:9], k=4)
    assert search.choose(searcher, items[:9], best, wanted) == setting


def test_ratios_are_of_the_same_turn():
    rows = [
        search.Row("exact", 0, 0, 0, per_s={8: [10.0, 20.0, 40.0]}),
        search.Row("mine", 0, 0, 0, per_s={8: [50.0, 60.0, 80.0]}),
    ]
    assert search.ratio(rows, rows[1], 8) == 3.0  # of 5, 3 and 2


def test_planted_users_choose_nothing_that_they_tell():
    data = planted(3_000, 16, 50, seed=1)
    for vectors, number in ((data.items, 3_000), (data.held_out, 50)):
        lengths = np.linalg.norm(vectors, axis=1)
        assert vectors.shape == (number, 16)
        np.testing.assert_allclose(lengths, 1, atol=1e-5)
    products = data.choosing @ data.held_out.T
    assert products.max() < 0.999
    # Families: the nearest item is far nearer than any other.
    near = np.sort(data.items[:200] @ data.items.T, axis=1)
    assert near[:, -2].mean() > near[:, 1_500].mean() + 0.4


def test_a_catalogue_is_searched_and_timed_by_all(capsys):
    pytest.importorskip("scann")
    without = ("faiss-flat", "faiss-ivf", "faiss-hnsw", "hnswlib")
    data = planted(2_000, 16, 40, seed=2)
    rows = search.compared(data, 0.9, without, turns=2, seconds=0.01)
    assert [row.name for row in rows] == ["exact", "ScaNN, this project"]
    for row in rows:
        assert row.recall == 1.0  # so few items are searched by brute force
        assert [len(each) for each in row.per_s.values()] == [2, 2, 2]
        assert min(min(each) for each in row.cpu_ms.values()) > 0
        assert row.size_mb > 2_000 * 16 * 4 / 2**20 * 0.99
    assert "| exact |" in search.table(rows)


@pytest.mark.parametrize(
    "flags, told",
    [
        (["--items", "1000", "99"], r"--items: the best 100 .* \[1000, 99\]"),
        (["--dim", "0"], "--dim and --turns are above 0"),
        (["--turns", "0"], "--dim and --turns are above 0"),
        (["--seed", "-1"], "--seed is 0 or more"),
        (["--recall", "0"], "--recall is above 0, at most 1; got 0.0"),
        (["--recall", "1.01"], "--recall is above 0, at most 1; got 1.01"),
        (["--json", "no/such/a.json"], "no folder no/such"),
    ],
)
def test_flags_that_cannot_be_are_refused_before_any_work(flags, told, capsys):
    with pytest.raises(SystemExit) as stop:
        search.main(flags)
    assert stop.value.code == 2
    assert re.search(told, capsys.readouterr().err)
