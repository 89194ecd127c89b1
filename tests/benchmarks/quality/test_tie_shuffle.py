"""Ties on one day leak no order once they are shuffled."""

from __future__ import annotations

import collections

import logs

from benchmarks.quality.tie_shuffle import shuffle_ties

# User a: one event, three at time 2, one after; user b: two at one time.
LINES = [
    ("a", "p", 1), ("a", "q", 2), ("b", "s", 2), ("a", "r", 2),
    ("a", "t", 2), ("b", "u", 2), ("a", "v", 3),
]
POSITIONS = ["0", "1", "0", "2", "3", "1", "4"]


def test_only_the_order_within_ties_changes() -> None:
    orders = set()
    for seed in range(40):
        shuffled, notes = shuffle_ties(
            logs.table(LINES, position=POSITIONS), seed
        )
        assert sorted(logs.lines(shuffled)) == sorted(LINES)
        found = logs.sequences(shuffled)
        assert found["a"][0] == "p"
        assert found["a"][-1] == "v"
        assert set(found["a"][1:4]) == {"q", "r", "t"}
        assert notes == {"tied_events": 5}
        orders.add((tuple(found["a"]), tuple(found["b"])))
    assert len(orders) == 3 * 2 * 2  # every order of both ties


def test_every_order_of_a_tie_is_equally_likely() -> None:
    times = collections.Counter(
        logs.sequences(shuffle_ties(logs.table(LINES), seed)[0])["b"][0]
        for seed in range(400)
    )
    # 200 each expected, standard deviation 10.
    assert 160 < times["s"] < 240


def test_one_seed_gives_one_order() -> None:
    tables = [shuffle_ties(logs.table(LINES), 3)[0] for _ in range(2)]
    assert logs.sequences(tables[0]) == logs.sequences(tables[1])


def test_without_ties_the_sequences_stay() -> None:
    lines = [("a", "p", 3), ("b", "q", 1), ("a", "r", 1), ("a", "s", 2)]
    shuffled, notes = shuffle_ties(logs.table(lines), 0)
    assert logs.sequences(shuffled) == {"a": ["r", "s", "p"], "b": ["q"]}
    assert notes == {"tied_events": 0}
