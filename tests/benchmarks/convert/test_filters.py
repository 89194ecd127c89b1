from __future__ import annotations

import collections

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.convert.filters import k_core, without_repeats


def test_the_first_of_equal_events_stays():
    columns = {
        "user_id": np.array([0, 0, 0, 1, 0]),
        "item_id": np.array([3, 3, 3, 3, 3]),
        "timestamp": np.array([9, 9, 9, 9, 9]),
        "rating": np.array([5, 5, 4, 5, 5], np.float32),
        "position": np.array([0, 1, 2, 3, 4]),
    }
    assert without_repeats(columns).tolist() == [True, False, True, True, False]


def test_a_core_is_taken_again_until_nothing_changes():
    # a-x a-y b-x b-y form the core of 2. c's second item, z, has one event;
    # without it c has one, and without c, w has one: then d goes too.
    events = ["ax", "ay", "bx", "by", "cz", "cw", "dw", "dx"]
    user = np.array(["abcd".index(e[0]) for e in events])
    item = np.array(["xyzw".index(e[1]) for e in events])
    everything = np.ones(8, bool)
    core = k_core(user, item, everything, 2)
    assert core.tolist() == [True] * 4 + [False] * 4
    assert k_core(user, item, everything, 1).all()
    assert k_core(user, item, everything, 0).all()
    assert not k_core(user, item, everything, 3).any()


def test_a_core_starts_from_the_kept_events():
    user, item = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    kept = np.array([True, True, True, False])
    assert k_core(user, item, kept, 0).tolist() == kept.tolist()
    assert not k_core(user, item, kept, 2).any()


def test_no_event_has_an_empty_core():
    nothing = np.zeros(0, np.int32)
    assert len(k_core(nothing, nothing, np.zeros(0, bool), 5)) == 0


def slow_core(events: list[tuple[int, int]], k: int) -> list[bool]:
    """Takes one event after the other away, until none can go."""
    left = list(range(len(events)))
    while True:
        users = collections.Counter(events[n][0] for n in left)
        items = collections.Counter(events[n][1] for n in left)
        bad = [
            n
            for n in left
            if min(users[events[n][0]], items[events[n][1]]) < k
        ]
        if not bad:
            return [n in left for n in range(len(events))]
        left.remove(bad[0])


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1, max_size=40
    ),
    st.integers(0, 4),
)
def test_a_core_equals_that_of_taking_events_one_by_one(
    events: list[tuple[int, int]], k: int
) -> None:
    user, item = np.array(events).T
    core = k_core(user, item, np.ones(len(events), bool), k)
    assert core.tolist() == slow_core(events, k)
