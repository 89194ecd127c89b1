"""Choosing how ScaNN searches, on some queries, and telling it by others."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from serving import plans, recall, search
from serving.admission import Shelf
from serving.plans import Plan

pytest.importorskip("scann")
# ScaNN's leaves differ from build to build. With 20 items each, one leaf never
# has the 100 that are asked for: recall@100 is that of the exact search which
# makes up for it, and only recall@10 tells the plans apart.
WIDE = [Plan(12, 1, 300), Plan(12, 12, 300)]


@pytest.fixture(scope="module")
def shelf():
    vectors = np.random.default_rng(3).normal(size=(240, 8))
    return Shelf(tf.Variable(vectors.astype(np.float32)))


def test_a_large_catalogue_takes_the_fastest_plan_with_enough_recall(
    monkeypatch, shelf
):
    monkeypatch.setattr(plans, "candidates", lambda _: WIDE)
    told = recall.tuned(shelf).described()
    assert told["leaves_searched"] == 12
    assert told["recall@10"] >= 0.98
    assert told["wanted_recall"] == 0.98


def test_a_lower_recall_is_had_with_a_faster_plan(monkeypatch, shelf):
    monkeypatch.setattr(plans, "candidates", lambda _: WIDE)
    assert recall.tuned(shelf, 0.05).search.plan == WIDE[0]


def test_where_no_tree_finds_enough_everything_is_scored(monkeypatch, shelf):
    offered = [WIDE[0], Plan()]
    monkeypatch.setattr(plans, "candidates", lambda _: offered)
    told = recall.tuned(shelf, 1.0).described()
    assert told["search"] == "scann brute force"
    assert told["recall@10"] == told["recall@100"] == 1.0


def test_what_is_told_is_of_queries_that_chose_nothing(monkeypatch, shelf):
    monkeypatch.setattr(plans, "candidates", lambda _: WIDE[:1])
    asked = []
    measured = recall.recalls

    def noted(searching, queries, best):
        asked.append(queries)
        return measured(searching, queries, best)

    monkeypatch.setattr(recall, "recalls", noted)
    told = recall.tuned(shelf)
    choosing, held_out = asked
    assert not {row.tobytes() for row in choosing} & {
        row.tobytes() for row in held_out
    }
    best = recall.best_rows(told.search.exact, held_out)
    again = measured(told.search, held_out, best)
    assert told.described()["recall@10"] == round(again[0].mean, 4)


def test_queries_of_the_two_sets_share_no_item():
    # Each item has a dimension of its own, so a query shows whose mean it is.
    choosing, held_out = recall.queries(np.eye(101, dtype=np.float32))
    assert len(choosing) == len(held_out) == 200
    assert not ((choosing > 0).any(axis=0) & (held_out > 0).any(axis=0)).any()


def test_recall_by_hand(shelf):
    asked = shelf.vectors.numpy()[:4]
    best = np.argsort(-asked @ shelf.vectors.numpy().T)[:, :100]
    found = recall.recalls(_every_second(shelf), asked, best)
    assert [each.mean for each in found] == [0.5, 0.5]
    assert [each.error for each in found] == [0.0, 0.0]


def test_the_best_rows_of_many_queries_are_those_of_a_sort(shelf):
    asked = np.random.default_rng(4).normal(size=(45, 8)).astype(np.float32)
    products = asked.astype(float) @ shelf.vectors.numpy().astype(float).T
    best = recall.best_rows(search.ExactSearch(shelf), asked)
    assert best.tolist() == np.argsort(-products)[:, :100].tolist()


def _every_second(shelf):
    """A search that misses every second item."""

    def searched(queries, admission, k):
        rows, scores, is_exact = searched.exact(queries, admission, k)
        at = tf.range(tf.shape(rows)[1]) % 2
        return tf.where(at == 0, rows, -1), scores, is_exact

    searched.exact = search.ExactSearch(shelf)
    return searched
