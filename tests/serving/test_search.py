"""Exact and ScaNN search against a NumPy ranking."""

from __future__ import annotations

import collections
import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf
from contracts import IndexContract
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.admission import Admission, Shelf

N, D = 400, 6


class TestExactBundle(IndexContract):
    @pytest.fixture
    def recommender(self, exact):
        return exact

    @pytest.fixture
    def oracle(self, oracle):
        return oracle


class TestScannBundle(IndexContract):
    @pytest.fixture
    def recommender(self, scann):
        return scann

    @pytest.fixture
    def oracle(self, oracle):
        return oracle

    def test_answers_name_scann_as_their_source(self, recommender, oracle):
        answer = self.ask(recommender, histories=[["i1"]], k=[3])
        assert answer["source"][0].tolist() == [b"scann"] * 3

    def test_a_short_row_is_searched_exactly(self, recommender, oracle):
        histories = [["i1"], ["i2"]]
        answer = self.ask(recommender, histories=histories, k=[500, 3])
        assert answer["source"][0, 0] == b"exact"
        assert answer["source"][1, 0] == b"scann"


@pytest.fixture(scope="module")
def vectors():
    values = np.random.default_rng(5).normal(size=(N, D)).astype(np.float32)
    return tf.Variable(values)


@pytest.fixture(scope="module")
def narrow(vectors):
    """Partitions of about 20 items, of which one is looked into."""
    pytest.importorskip("scann")
    from serving.plans import Plan
    from serving.search import ScannSearch

    return ScannSearch(Shelf(vectors), Plan(20, 1, 100))


def _nothing(rows):
    return Admission.excluding(tf.zeros([rows, 0], tf.int32))


def test_rows_that_one_partition_cannot_fill_are_exact(vectors, narrow):
    queries = vectors[:2]
    rows, scores, is_exact = narrow(queries, _nothing(2), tf.constant([2, 90]))
    products = vectors.numpy() @ queries.numpy().T
    assert is_exact.numpy().tolist() == [False, True]
    assert rows[1].numpy().tolist() == np.argsort(-products[:, 1])[:90].tolist()


def test_a_row_that_is_not_short_keeps_its_own_k(vectors, narrow):
    rows, scores, _ = narrow(vectors[:2], _nothing(2), tf.constant([2, 90]))
    assert (rows[0].numpy() >= 0).sum() == 2
    assert np.isneginf(scores[0, 2:].numpy()).all()


def test_more_exclusions_than_are_fetched_are_still_kept(vectors, narrow):
    best = np.argsort(-(vectors.numpy() @ vectors.numpy()[7]))
    excluded = Admission.excluding(tf.constant(best[None, :350], tf.int32))
    rows, _, is_exact = narrow(vectors[7:8], excluded, tf.constant([5]))
    assert rows[0].numpy().tolist() == best[350:355].tolist()
    assert is_exact.numpy().all()


def test_scores_are_products_and_not_their_approximation(vectors, narrow):
    rows, scores, _ = narrow(vectors[3:4], _nothing(1), tf.constant([4]))
    wanted = vectors.numpy()[rows[0].numpy()] @ vectors.numpy()[3]
    np.testing.assert_allclose(scores[0], wanted, rtol=1e-5)


def test_hundreds_at_once_get_what_each_gets_alone(narrow):
    queries = tf.random.stateless_normal([700, D], seed=(1, 2))
    together, scores, _ = narrow(queries, _nothing(700), tf.fill([700], 5))
    for start in range(0, 700, 100):
        some = slice(start, start + 100)
        rows, alone, _ = narrow(queries[some], _nothing(100), tf.fill([100], 5))
        np.testing.assert_array_equal(together[some], rows)
        np.testing.assert_allclose(scores[some], alone, rtol=1e-5)


def test_what_joins_the_shelf_is_found_beside_the_index(narrow_and_more):
    shelf, search = narrow_and_more
    best = shelf.vectors[N + 2 : N + 3]  # as long as three others
    rows, scores, _ = search(best, _nothing(1), tf.constant([2]))
    products = shelf.vectors.numpy() @ best[0].numpy()
    assert rows[0, 0] == N + 2 == products.argmax()
    np.testing.assert_allclose(scores[0, 0], products.max(), rtol=1e-5)


def test_what_is_removed_comes_back_from_neither_part(narrow_and_more):
    shelf, search = narrow_and_more
    products = shelf.vectors.numpy() @ shelf.vectors.numpy()[N + 2]
    best = np.argsort(-products)[:300]
    removed = np.isin(np.arange(N + 3), best)
    shelf.removed.assign(removed)
    shelf.num_removed.assign(300)
    query = shelf.vectors[N + 2 : N + 3]
    for k in (1, 103, N + 3):
        rows, _, _ = search(query, _nothing(1), tf.constant([k]))
        found = [row for row in rows[0].numpy() if row >= 0]
        assert len(found) == min(k, 103)
        assert not set(found) & set(best)


@pytest.fixture
def narrow_and_more():
    """A search of N items, and a shelf that has three more by now."""
    pytest.importorskip("scann")
    from serving.plans import Plan
    from serving.search import ScannSearch
    from serving.stock import growing

    values = np.random.default_rng(6).normal(size=(N + 3, D))
    values[N:] *= 10
    values = values.astype(np.float32)
    shelf = Shelf(growing(values[:N]))
    search = ScannSearch(shelf, Plan(20, 1, 100))
    shelf.vectors.assign(values)
    shelf.categories.assign(tf.fill([N + 3], -1))
    shelf.available_from.assign(tf.zeros([N + 3], tf.int64))
    shelf.removed.assign(tf.zeros([N + 3], tf.bool))
    return shelf, search


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, N - 1),
    st.integers(0, 60),
    st.sampled_from([0, 1, 3]),
    st.sampled_from([(), (7, 9, 11), tuple(range(0, N, 2))]),
)
def test_one_partition_is_no_reason_to_answer_fewer(item, k, cap, allowed):
    # Of 20 partitions one is looked into: most answers must be mended.
    shelf, search = _sorted_shelf()
    admission = dataclasses.replace(
        Admission.excluding(tf.constant([[item]])),
        allowed=tf.constant([allowed], tf.int32, shape=[1, len(allowed)]),
        is_limited=tf.constant([len(allowed) > 0]),
        max_per_category=tf.constant([cap]),
    )
    query = shelf.vectors[item : item + 1]
    rows, *_ = search(query, admission, tf.constant([k]))
    found = [row for row in rows[0].numpy().tolist() if row >= 0]
    admissible = {*(allowed or range(N))} - {item}
    counts = collections.Counter(row % 5 for row in admissible)
    most = {code: min(n, cap or n) for code, n in counts.items()}
    assert len(found) == min(k, sum(most.values()))
    assert set(found) <= admissible and len(set(found)) == len(found)
    shown = collections.Counter(row % 5 for row in found)
    assert all(shown[code] <= most[code] for code in shown)


@functools.cache
def _sorted_shelf():
    """Items of five categories, and a search that finds few of them."""
    pytest.importorskip("scann")
    from serving.plans import Plan
    from serving.search import ScannSearch

    values = np.random.default_rng(5).normal(size=(N, D)).astype(np.float32)
    shelf = Shelf(tf.Variable(values), tf.Variable(tf.range(N) % 5))
    return shelf, ScannSearch(shelf, Plan(20, 1, 100))
