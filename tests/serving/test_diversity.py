"""Greedy orders against slow NumPy ones."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import diversity

DIM = 4
lists = st.tuples(
    st.integers(0, 2**32 - 1),  # seed
    st.integers(1, 9),  # candidates
    st.integers(0, 3),  # of them without an item
    st.integers(1, 9),  # steps
    st.sampled_from([0.0, 0.3, 0.7, 1.0]),
)


def unit_vectors(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.normal(size=(*shape, DIM))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def mmr_gain(scores, vectors, chosen, item, weight):
    """Carbonell and Goldstein's formula, by a loop over those chosen."""
    nearest = max((vectors[item] @ vectors[j] for j in chosen), default=0.0)
    return (1 - weight) * scores[item] - weight * nearest


def dpp_gain(scores, vectors, chosen, item, weight):
    """The objective with the item less that without it, by determinants."""

    def log_det(items):
        part = vectors[items]
        return np.log(max(np.linalg.det(part @ part.T), 1e-300))

    added = log_det([*chosen, item]) - (log_det(chosen) if chosen else 0.0)
    return (1 - weight) * scores[item] + weight * max(added, np.log(1e-6))


def is_greedy(columns, scores, vectors, weight, gain) -> bool:
    """Whether each column has the greatest gain, up to rounding."""
    items = np.flatnonzero(scores > -np.inf).tolist()
    chosen: list[int] = []
    for column in columns:
        left = [item for item in items if item not in chosen]
        if not left:
            return all(rest == -1 for rest in columns[len(chosen):])
        gains = {
            item: gain(scores, vectors, chosen, item, weight) for item in left
        }
        if column not in gains or gains[column] < max(gains.values()) - 1e-4:
            return False
        chosen.append(column)
    return True


def candidates(seed, width, missing):
    rng = np.random.default_rng(seed)
    scores = np.sort(rng.normal(size=(2, width)))[:, ::-1].copy()
    scores[0, width - min(missing, width):] = -np.inf
    return scores.astype(np.float32), unit_vectors(rng, 2, width)


def columns_of(method, scores, vectors, weight, steps):
    return method(
        tf.constant(scores),
        tf.constant(vectors, tf.float32),
        tf.constant([weight, weight / 2], tf.float32),
        steps,
    ).numpy()


@settings(max_examples=60, deadline=None)
@given(lists)
def test_mmr_takes_the_greatest_marginal_relevance(drawn):
    seed, width, missing, steps, weight = drawn
    scores, vectors = candidates(seed, width, missing)
    columns = columns_of(diversity.mmr, scores, vectors, weight, steps)
    assert columns.shape == (2, steps)
    for row, own in enumerate((weight, weight / 2)):
        assert is_greedy(
            columns[row].tolist(), scores[row], vectors[row], own, mmr_gain
        )


@settings(max_examples=60, deadline=None)
@given(lists)
def test_dpp_takes_what_adds_most_to_the_determinant(drawn):
    seed, width, missing, steps, weight = drawn
    steps = min(steps, DIM)  # beyond, determinants are rounding alone
    scores, vectors = candidates(seed, width, missing)
    columns = columns_of(diversity.dpp, scores, vectors, weight, steps)
    for row, own in enumerate((weight, weight / 2)):
        assert is_greedy(
            columns[row].tolist(), scores[row], vectors[row], own, dpp_gain
        )


def test_dpp_finds_the_best_pair_by_enumeration_here():
    # Greedy takes item 0, then the pair {0, j} of the greatest objective.
    scores, vectors = candidates(3, 7, 0)
    columns = columns_of(diversity.dpp, scores, vectors, 0.5, 2)[0]
    gram = vectors[0] @ vectors[0].T
    objective = [
        0.5 * scores[0, j] + 0.5 * np.log(1 - gram[columns[0], j] ** 2)
        if j != columns[0] else -np.inf
        for j in range(7)
    ]
    assert columns[0] == np.argmax(scores[0])
    assert columns[1] == np.argmax(objective)


def test_copies_come_last_where_difference_is_all_that_counts():
    # Items 0 and 1 are the same, 2 stands at a right angle to them.
    vectors = tf.constant([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    scores = tf.constant([[0.9, 0.8, 0.1]])
    for method in (diversity.mmr, diversity.dpp):
        columns = method(scores, vectors, tf.constant([0.9]), 3)
        assert columns.numpy().tolist() == [[0, 2, 1]]


def test_beyond_the_vectors_dimensions_relevance_alone_decides():
    vectors = tf.constant([[[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6]]])
    scores = tf.constant([[0.9, 0.8, 0.3, 0.2]])
    columns = diversity.dpp(scores, vectors, tf.constant([0.5]), 4)
    assert columns.numpy().tolist() == [[0, 1, 2, 3]]


def test_each_request_has_its_own_method_weight_and_number():
    rng = np.random.default_rng(11)
    scores = np.tile(np.linspace(1, 0, 8, dtype=np.float32), (3, 1))
    vectors = np.tile(unit_vectors(rng, 1, 8), (3, 1, 1)).astype(np.float32)
    order = diversity.diversified(
        tf.constant(scores), tf.constant(vectors),
        tf.constant([0.5, 0.8, 0.8]), tf.constant([True, False, True]),
        tf.constant([0, 2, 3]),
    ).numpy()
    by_mmr = columns_of(diversity.mmr, scores[:2], vectors[:2], 0.8, 3)[0]
    by_dpp = columns_of(diversity.dpp, scores[:2], vectors[:2], 0.8, 3)[0]
    assert by_mmr.tolist() != by_dpp.tolist()
    assert order[0].tolist() == list(range(8))
    assert by_mmr[:2].tolist() != [0, 1]
    for row, chosen in ((1, by_mmr[:2].tolist()), (2, by_dpp.tolist())):
        rest = [column for column in range(8) if column not in chosen]
        assert order[row].tolist() == chosen + rest


@pytest.mark.parametrize("steps", [1, 5])
def test_places_without_an_item_stay_behind(steps):
    scores = tf.constant([[0.5, 0.4, -np.inf, -np.inf]])
    vectors = tf.constant(unit_vectors(np.random.default_rng(0), 1, 4))
    order = diversity.diversified(
        scores, tf.cast(vectors, tf.float32), tf.constant([0.5]),
        tf.constant([False]), tf.constant([steps]),
    ).numpy()
    assert sorted(order[0].tolist()) == [0, 1, 2, 3]
    assert sorted(order[0, :2].tolist()) == [0, 1]
