"""Full-catalogue evaluation against loops over queries and items."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from event_tables import event_tables, make_events
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import evaluation
from trainer.behaviour import Sequences, build_sequences
from trainer.config import DataConfig
from trainer.evaluation import Queries, build_queries
from trainer.metrics import UNREACHABLE
from trainer.tables import Events

ITEMS = 6
MANY = settings(max_examples=80, deadline=None)


def sequences_of(events: Events) -> Sequences:
    return build_sequences(events, DataConfig(split="leave_one_out"), 0)


def queries_of(
    events: Events, targets: Iterable[int], exclude_seen: bool = True
) -> Queries:
    return build_queries(
        sequences_of(events),
        np.array(targets, np.int64),
        num_items=ITEMS,
        exclude_seen=exclude_seen,
    )


@pytest.fixture
def three_users() -> Queries:
    """Users with items [4, 1, 4], [2] and [0, 5]; every event is asked."""
    events = make_events(
        user=[0, 0, 0, 1, 2, 2],
        timestamp=[1, 2, 3, 1, 1, 2],
        item=[4, 1, 4, 2, 0, 5],
    )
    return queries_of(events, range(6))


def test_a_query_knows_its_user_target_and_history(
    three_users: Queries
) -> None:
    assert len(three_users) == 6
    assert three_users.user.tolist() == [0, 0, 0, 1, 2, 2]
    assert three_users.items.tolist() == [4, 1, 4, 2, 0, 5]
    assert three_users.history_lengths.tolist() == [0, 1, 2, 0, 0, 1]


def test_items_before_the_target_are_excluded(three_users: Queries) -> None:
    scores = np.zeros((2, ITEMS))
    three_users.exclude(scores, np.array([2, 5]))
    assert np.isneginf(scores).tolist() == [
        [False, True, False, False, True, False],
        [True, False, False, False, False, False],
    ]


def test_a_query_without_history_excludes_nothing(three_users: Queries) -> None:
    scores = np.zeros((2, ITEMS))
    three_users.exclude(scores, np.array([0, 3]))
    assert (scores == 0).all()


def test_nothing_is_excluded_where_seen_items_are_welcome() -> None:
    events = make_events(user=[0, 0], timestamp=[1, 2], item=[3, 4])
    queries = queries_of(events, [1], exclude_seen=False)
    scores = np.zeros((1, ITEMS))
    queries.exclude(scores, np.array([0]))
    assert (scores == 0).all()


@MANY
@given(event_tables(), st.data())
def test_excluding_equals_a_loop_over_each_history(
    events: Events, data: st.DataObject
) -> None:
    sequences = sequences_of(events)
    number = len(sequences.item)
    queries = queries_of(events, range(number))
    numbers = data.draw(st.lists(st.integers(0, number - 1), max_size=5))
    scores = np.zeros((len(numbers), ITEMS))
    queries.exclude(scores, np.array(numbers, np.int64))
    expected = np.zeros((len(numbers), ITEMS))
    user = np.repeat(
        np.arange(sequences.num_users), np.diff(sequences.starts)
    )
    for row, target in enumerate(numbers):
        for earlier in range(target):
            if user[earlier] == user[target]:
                expected[row, sequences.item[earlier]] = -np.inf
    np.testing.assert_array_equal(scores, expected)


def test_a_target_that_was_seen_before_cannot_be_reached(
    three_users: Queries
) -> None:
    ranking = evaluation.rank_targets(
        three_users, lambda numbers: np.eye(ITEMS)[[4] * len(numbers)], "test"
    )
    assert ranking.ranks[2] == UNREACHABLE


@MANY
@given(event_tables(), st.booleans(), st.integers(0, 99))
def test_ranks_and_coverage_equal_a_sort_per_query(
    events: Events, exclude_seen: bool, seed: int
) -> None:
    sequences = sequences_of(events)
    number = len(sequences.item)
    queries = queries_of(events, range(number), exclude_seen)
    table = np.random.default_rng(seed).permuted(
        np.tile(np.arange(ITEMS, dtype=float), (number, 1)), axis=1
    )
    shown, expected = set(), []
    for target in range(number):
        history = sequences.item[
            target - queries.history_lengths[target] : target
        ]
        allowed = set(range(ITEMS))
        if exclude_seen:
            allowed -= set(history.tolist())
        best_first = sorted(allowed, key=lambda i: -table[target, i])
        shown.update(best_first)
        item = int(sequences.item[target])
        expected.append(
            best_first.index(item) + 1 if item in allowed else UNREACHABLE
        )
    ranking = evaluation.rank_targets(queries, table.__getitem__, "test")
    assert ranking.ranks.tolist() == expected
    assert ranking.coverage == pytest.approx(len(shown) / ITEMS, abs=1e-9)


def test_excluded_items_are_not_covered() -> None:
    events = make_events(user=[0] * 3, timestamp=[1, 2, 3], item=[4, 1, 0])
    ranking = evaluation.rank_targets(
        queries_of(events, [2]), lambda _: np.arange(6.0)[None], "test"
    )
    assert ranking.coverage == pytest.approx(4 / 6)


def test_coverage_looks_at_lists_of_ten() -> None:
    events = make_events(user=[0], timestamp=[1])
    queries = build_queries(
        sequences_of(events), np.array([0]), num_items=40, exclude_seen=True
    )
    ranking = evaluation.rank_targets(
        queries, lambda _: np.arange(40.0)[None], "test"
    )
    assert ranking.coverage == pytest.approx(10 / 40)
    assert ranking.ranks.tolist() == [40]


def test_batches_of_queries_do_not_mix_their_answers(
    three_users: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = np.random.default_rng(0).random((6, ITEMS))
    whole = evaluation.rank_targets(three_users, table.__getitem__, "test")
    monkeypatch.setattr(evaluation, "_BATCH", 2)
    parts = evaluation.rank_targets(three_users, table.__getitem__, "test")
    assert parts.ranks.tolist() == whole.ranks.tolist()
    assert parts.coverage == whole.coverage


def test_the_scorers_own_table_stays_as_it_is(three_users: Queries) -> None:
    table = np.ones((6, ITEMS), np.float32)
    evaluation.rank_targets(three_users, lambda _: table, "test")
    assert (table == 1).all()


def test_no_queries_have_a_summary_too() -> None:
    events = make_events(user=[0], timestamp=[1])
    ranking = evaluation.rank_targets(
        queries_of(events, []), lambda numbers: np.zeros((0, ITEMS)), "test"
    )
    assert ranking.summary() == {
        "queries": 0, "coverage@10": 0.0, "gini@10": 0.0, "novelty@10": 0.0
    }


def test_lists_are_best_first_and_end_where_nothing_is_admissible() -> None:
    events = make_events(user=[0] * 3, timestamp=[1, 2, 3], item=[4, 1, 0])
    ranking = evaluation.rank_targets(
        queries_of(events, [2]),
        lambda _: np.array([[1.0, 9.0, 3.0, 5.0, 9.0, 4.0]]),
        "test",
    )
    assert ranking.lists.tolist() == [[3, 5, 2, 0, -1, -1]]


def test_novelty_and_gini_of_two_lists_worked_by_hand() -> None:
    # Train events of items 0..5: 3, 1, 0, 0, 0, 1; with one added to each,
    # 4, 2, 1, 1, 1, 2 of 11. Each list holds all items not seen before.
    events = make_events(
        user=[0, 0, 0, 0, 0, 0, 1, 1, 1],
        timestamp=[1, 2, 3, 4, 8, 9, 5, 8, 9],
        item=[0, 0, 0, 1, 2, 3, 5, 2, 3],
    )
    sequences = sequences_of(events)
    assert sequences.split.tolist() == [0, 0, 0, 0, 1, 2, 0, 1, 2]
    queries = queries_of(events, [4, 7])
    ranking = evaluation.rank_targets(
        queries, lambda numbers: np.ones((len(numbers), ITEMS)), "test"
    )
    bits = -np.log2(np.array([4, 2, 1, 1, 1, 2]) / 11)
    assert ranking.novelty.tolist() == pytest.approx(
        [bits[[2, 3, 4, 5]].mean(), bits[[0, 1, 2, 3, 4]].mean()]
    )
    # Shown 1, 1, 2, 2, 2, 1 times: mean absolute difference of all ordered
    # pairs is 18 / 36, the mean is 1.5; half their quotient.
    assert ranking.gini == pytest.approx(0.5 * (18 / 36) / 1.5)


def test_a_catalogue_of_one_item_is_ranked() -> None:
    events = make_events(user=[0], timestamp=[1])
    queries = build_queries(
        sequences_of(events), np.array([0]), num_items=1, exclude_seen=True
    )
    ranking = evaluation.rank_targets(
        queries, lambda _: np.zeros((1, 1)), "test"
    )
    assert ranking.ranks.tolist() == [1]
    assert ranking.coverage == 1.0


def test_slices_by_how_often_the_target_was_seen_in_training() -> None:
    events = make_events(user=range(6), timestamp=[1] * 6, item=range(6))
    found = evaluation.slices(
        queries_of(events, range(6)), np.array([0, 1, 5, 6, 50, 51])
    )
    members = {
        name: np.flatnonzero(chosen).tolist()
        for name, chosen in found.items()
        if name.startswith("item")
    }
    assert members == {
        "item:cold (0 train events)": [0],
        "item:tail (1-5)": [1, 2],
        "item:torso (6-50)": [3, 4],
        "item:head (51+)": [5],
    }


def test_slices_by_the_scenario_that_is_asked() -> None:
    events = make_events(
        user=range(4), timestamp=[1] * 4, scenario=[0, 2, 1, 2]
    )
    found = evaluation.slices(
        queries_of(events, range(4)), np.ones(ITEMS), ["home", "deals"]
    )
    assert found["scenario:home"].tolist() == [False, False, True, False]
    assert found["scenario:deals"].tolist() == [False, True, False, True]


def test_slices_by_the_length_of_the_history() -> None:
    events = make_events(
        user=[0] * 13, timestamp=range(13), item=[0] * 13
    )
    found = evaluation.slices(queries_of(events, range(13)), np.ones(ITEMS))
    members = {
        name: np.flatnonzero(chosen).tolist()
        for name, chosen in found.items()
        if name.startswith("user")
    }
    assert members == {
        "user:no history": [0],
        "user:1-3 events": [1, 2, 3],
        "user:4-10 events": [4, 5, 6, 7, 8, 9, 10],
        "user:11+ events": [11, 12],
    }


def test_only_slices_with_a_query_are_summarised(three_users: Queries) -> None:
    ranking = evaluation.Ranking(
        ranks=np.array([1, 2, 20, 1, 1, 1]),
        lists=np.zeros((6, 1), np.int64),
        novelty=np.zeros(6),
        coverage=0.5,
        gini=0.5,
    )
    found = evaluation.slice_summaries(three_users, ranking, np.ones(ITEMS))
    assert set(found) == {
        "item:tail (1-5)", "user:no history", "user:1-3 events"
    }
    assert found["user:1-3 events"]["queries"] == 3
    assert found["user:1-3 events"]["recall@10"] == pytest.approx(2 / 3)


def test_a_row_of_scores_for_several_queries_is_refused(
    three_users: Queries
) -> None:
    with pytest.raises(ValueError, match=r"\(1, 6\).*wanted \(6, 6\)"):
        evaluation.rank_targets(
            three_users, lambda _: np.zeros((1, ITEMS)), "test"
        )
