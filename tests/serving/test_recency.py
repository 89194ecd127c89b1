"""Recent popularity in service: logits by hand, counts by plain loops."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import tensorflow as tf

from serving import recency
from serving.admission import Admission, Shelf, adjusted
from serving.plans import Plan
from serving.recency import LiveCounts, RecentPopularity, room
from serving.search import ExactSearch, ScannSearch
from serving.stock import growing

HOUR, HALF_LIVES, START = 3600, [1.0, 24.0], 1_000_000
ITEMS, DIM = 300, 8


def popularity() -> RecentPopularity:
    made = RecentPopularity(HALF_LIVES)
    made.log_weights.assign([math.log(3), math.log(0.5)])
    made.log_base.assign(math.log(0.2))
    made.exponent.assign(1.5)
    made.scales.assign([0.25, 0.75])
    made.newness.assign(0.4)
    return made


def shelf_of(rng: np.random.Generator) -> Shelf:
    vectors = rng.normal(size=(ITEMS, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Shelf(growing(vectors))


def counting(shelf: Shelf, trust: float = 0.0) -> LiveCounts:
    return LiveCounts(
        popularity(),
        shelf,
        counts=np.zeros((ITEMS, 2), np.float32),
        trust=tf.fill([ITEMS], trust),
        as_of=START,
        temperature=tf.Variable(0.1),
    )


def boosts(events: list[tuple[int, int]], now: int, trust: float) -> np.ndarray:
    """Boost of every item after (row, time) events, by plain loops."""
    found = np.zeros(ITEMS)
    for item in range(ITEMS):
        intensity = 0.2
        for weight, hours in ((3.0, 1.0), (0.5, 24.0)):
            for row, at in events:
                if row == item:
                    left = 0.5 ** ((now - at) / HOUR / hours)
                    intensity += weight * left
        found[item] = 1.5 * math.log(intensity) + 0.4 * (1 - trust)
    return 0.1 * found


def observe(live: LiveCounts, events: list[tuple[int, int]]) -> list[bool]:
    rows, times = zip(*events, strict=True)
    counted = live.observe(tf.constant(rows), tf.constant(times, tf.int64))
    return counted.numpy().tolist()


def test_boosts_follow_events_in_whatever_order_they_come(
    rng: np.random.Generator,
) -> None:
    events = [
        (int(row), START + int(after))
        for row, after in zip(
            rng.integers(0, 9, 40), rng.integers(0, 40 * HOUR, 40), strict=True
        )
    ]
    now = max(at for _, at in events)
    for order in (events, events[::-1], sorted(events, key=lambda e: e[1])):
        shelf = shelf_of(rng)
        live = counting(shelf, trust=0.5)
        for at in range(0, 40, 7):
            observe(live, order[at : at + 7])
        assert int(live.as_of) == now
        np.testing.assert_allclose(
            shelf.boost, boosts(events, now, 0.5), rtol=1e-4, atol=1e-5
        )


def test_what_is_not_known_is_not_counted(rng: np.random.Generator) -> None:
    shelf = shelf_of(rng)
    live = counting(shelf)
    before = shelf.boost.numpy()
    assert observe(live, [(-1, START + 5), (4, 0)]) == [False, False]
    np.testing.assert_array_equal(shelf.boost, before)
    assert observe(live, [(-1, START + 5), (4, START + 6)]) == [False, True]
    assert np.flatnonzero(shelf.boost.numpy() > before).tolist() == [4]


def test_one_event_to_come_does_not_let_all_others_fade(
    rng: np.random.Generator,
) -> None:
    shelf = shelf_of(rng)
    live = counting(shelf)
    now = int(time.time())
    assert observe(live, [(3, now), (4, now + HOUR)]) == [True, False]
    assert int(live.as_of) == now
    assert int(tf.argmax(shelf.boost)) == 3


def test_scores_are_scaled_and_boosted(rng: np.random.Generator) -> None:
    shelf = shelf_of(rng)
    counting(shelf, trust=1.0)
    products = tf.constant([[0.5, -0.2]])
    base = 0.1 * 1.5 * math.log(0.2)
    wanted = [[0.75 * 0.5 + base, 0.75 * -0.2 + base]]
    np.testing.assert_allclose(
        adjusted(products, shelf, tf.constant([[7, 9]])), wanted, rtol=1e-5
    )


@pytest.mark.parametrize("plan", [Plan(), Plan(10, 10, ITEMS)])
def test_a_twin_finds_what_is_popular(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    monkeypatch.setattr(recency, "_HOT", 20)
    shelf = shelf_of(rng)
    live = counting(shelf)
    queries = tf.constant(rng.normal(size=(5, DIM)).astype(np.float32))
    exact, twin = ExactSearch(shelf), ScannSearch(shelf, plan)
    # The worst items by themselves, which no index would look at.
    worst = np.argsort(exact(queries, nobody(5), tf.fill([5], ITEMS))[0])[:, -3]
    observe(live, [(int(row), START + n) for row in worst for n in range(80)])
    for search in (exact, twin):
        rows, scores, _ = search(queries, nobody(5), tf.fill([5], 6))
        products = queries.numpy() @ shelf.vectors.numpy().T
        wanted = products * 0.25 + shelf.boost.numpy()
        best = -np.sort(-wanted, axis=1)[:, :6]
        np.testing.assert_allclose(scores, best, rtol=1e-4, atol=1e-5)
        assert all(len(set(row)) == 6 for row in rows.numpy().tolist())
        assert set(worst[:1]) <= set(rows.numpy().ravel().tolist())


def test_similar_items_know_nothing_of_popularity(
    rng: np.random.Generator,
) -> None:
    shelf = shelf_of(rng)
    queries = tf.constant(rng.normal(size=(5, DIM)).astype(np.float32))
    wanted = tf.fill([5], 6)
    searches = [ExactSearch(shelf), ScannSearch(shelf, Plan())]
    plain = [search(queries, nobody(5), wanted)[1] for search in searches]
    live = counting(shelf)
    observe(live, [(n % 7, START + n) for n in range(90)])
    for search, before in zip(searches, plain, strict=True):
        after = search(queries, nobody(5), wanted, by_products=True)[1]
        np.testing.assert_allclose(after, before, rtol=1e-5)


def test_items_that_join_start_from_nothing(rng: np.random.Generator) -> None:
    shelf = shelf_of(rng)
    live = counting(shelf, trust=1.0)
    for name, values in room(live, tf.constant(2)).items():
        variable = getattr(live, name)
        variable.assign(tf.concat([variable, values], axis=0))
    expected = 0.1 * (0.4 + 1.5 * math.log(0.2))
    np.testing.assert_allclose(shelf.boost[-2:], [expected] * 2, rtol=1e-5)
    np.testing.assert_allclose(shelf.scale[-3:], [0.75, 0.25, 0.25])
    observe(live, [(ITEMS + 1, START + 1)])
    assert int(tf.argmax(shelf.boost)) == ITEMS + 1


def nobody(requests: int) -> Admission:
    return Admission.excluding(tf.zeros([requests, 0], tf.int32))
