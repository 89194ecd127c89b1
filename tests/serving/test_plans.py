"""Plans of ScaNN's index, and what they find."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from serving.admission import Admission, Shelf
from serving.plans import Plan, candidates

N, D, K = 20_500, 32, 100


def test_small_catalogues_are_searched_by_brute_force():
    assert [plan.leaves for plan in candidates(20_000)] == [0]


def test_the_last_plans_of_a_large_catalogue_miss_little_and_nothing():
    every_leaf, everything = candidates(1_000_000)[-2:]
    assert every_leaf.leaves == every_leaf.leaves_searched == 2000
    assert everything == Plan()


def test_each_plan_looks_into_more_leaves_than_the_one_before():
    searched = [plan.leaves_searched for plan in candidates(50_000)[:-1]]
    assert searched[0] > 0 and searched == sorted(set(searched))


def test_of_what_is_in_the_leaves_next_to_nothing_is_missed():
    """Codes of two dimensions a block, with as many reordered, find .92."""
    pytest.importorskip("scann")
    from serving.search import ScannSearch

    values = np.random.default_rng(8).normal(size=(N + 20, D))
    values = values.astype(np.float32)
    items, queries = values[:N], values[N:]
    search = ScannSearch(Shelf(tf.Variable(items)), candidates(N)[-2])
    nothing = Admission.excluding(tf.zeros([20, 0], tf.int32))
    rows = search(queries, nothing, tf.fill([20], K))[0].numpy()
    best = np.argsort(-(queries @ items.T))[:, :K]
    pairs = zip(rows.tolist(), best.tolist(), strict=True)
    found = [len({*mine} & {*right}) / K for mine, right in pairs]
    assert np.mean(found) >= 0.99
