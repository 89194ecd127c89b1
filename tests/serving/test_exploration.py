"""Draws, and the propensities that are logged with them."""

from __future__ import annotations

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from serving import exploration

SCORES = np.array([0.9, 0.7, 0.4, 0.3, -np.inf], np.float32)
TEMPERATURE = 0.5
DRAWS = 20_000


@tf.function(autograph=False)  # a loop over seeds is slow outside a graph
def uniforms(seeds):
    return exploration.uniforms(seeds, 8)


def draw(seeds, first, scores=SCORES):
    number = len(seeds)
    uniform = uniforms(tf.constant(seeds, tf.int64))
    order, chance = exploration.drawn(
        tf.constant(np.tile(scores, (number, 1))),
        tf.fill([number], first),
        uniform[:, : len(scores)],
        TEMPERATURE,
    )
    return order.numpy(), chance.numpy()


def enumerated(items, scores=SCORES):
    """Chance of each order of `items`, one softmax after another."""
    found = {}
    for order in itertools.permutations(items):
        left, chance = list(order), 1.0
        for item in order:
            weights = np.exp(np.array([scores[i] for i in left]) / TEMPERATURE)
            chance *= np.exp(scores[item] / TEMPERATURE) / weights.sum()
            left.remove(item)
        found[order] = chance
    return found


@pytest.fixture(scope="module")
def drawn():
    return draw(range(DRAWS), first=1)


def test_frequencies_of_whole_orders_are_those_of_enumeration(drawn):
    orders, _ = drawn
    counts = collections.Counter(map(tuple, orders[:, 1:4].tolist()))
    wanted = enumerated([1, 2, 3])
    assert set(counts) == set(wanted)
    for order, chance in wanted.items():
        error = 5 * np.sqrt(chance * (1 - chance) / DRAWS)
        assert counts[order] / DRAWS == pytest.approx(chance, abs=error)


def test_the_logged_propensities_multiply_to_the_chance_of_the_order(drawn):
    orders, chances = drawn
    wanted = enumerated([1, 2, 3])
    for order, chance in zip(orders[:50], chances[:50], strict=True):
        product = np.prod(chance[1:4], dtype=np.float64)
        assert product == pytest.approx(wanted[tuple(order[1:4])], rel=1e-5)


def test_weights_by_propensity_estimate_a_uniform_policy(drawn):
    # Of a reward of 1, 10, 100 for items 1, 2, 3 a uniform draw earns 37.
    orders, chances = drawn
    reward = np.array([0.0, 1.0, 10.0, 100.0])[orders[:, 1]]
    estimate = (reward / 3 / chances[:, 1]).mean()
    assert estimate == pytest.approx(37.0, rel=0.05)


def test_places_before_the_drawn_ones_stay_and_have_a_propensity_of_one(drawn):
    orders, chances = drawn
    assert (orders[:, 0] == 0).all() and (chances[:, 0] == 1.0).all()


def test_places_without_an_item_stay_behind_with_a_propensity_of_zero(drawn):
    orders, chances = drawn
    assert (orders[:, 4] == 4).all() and (chances[:, 4] == 0.0).all()


def test_the_same_seed_draws_the_same_in_any_batch():
    alone, _ = draw([7], first=0)
    among, _ = draw([3, 7, 9, 7], first=0)
    assert among[1].tolist() == among[3].tolist() == alone[0].tolist()


def test_very_unlike_scores_neither_overflow_nor_vanish():
    scores = np.array([300.0, 0.0, -300.0], np.float32)
    order, chance = draw([0], 0, scores)
    assert order[0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(chance[0], 1.0)


def test_nothing_to_draw_from_is_no_error():
    order, chance = draw([0], 0, np.full(3, -np.inf, np.float32))
    assert sorted(order[0].tolist()) == [0, 1, 2]
    assert chance[0].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "share, k, first",
    [(0.0, 10, 10), (0.1, 10, 9), (0.25, 10, 7), (0.04, 10, 10), (1.0, 3, 0),
     (0.5, 1, 0), (1.0, 0, 0), (0.2, 2**31 - 1, None)],
)
def test_a_share_is_rounded_to_places(share, k, first):
    found = exploration.first_drawn(tf.constant([share]), tf.constant([k]))
    found = found.numpy().item()
    if first is None:  # float32 counts such places in steps
        assert found == pytest.approx(0.8 * k, rel=1e-6)
    else:
        assert found == first
