"""Baselines against plain counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
from event_tables import event_tables, make_events
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import baselines
from trainer.baselines import MarkovScorer
from trainer.behaviour import TRAIN, build_sequences
from trainer.config import DataConfig
from trainer.evaluation import Queries, build_queries
from trainer.tables import Events

ITEMS = 6
MANY = settings(max_examples=80, deadline=None)


def queries_of(events: Events, split: str = "column") -> Queries:
    """Every event is a target."""
    sequences = build_sequences(events, DataConfig(split=split), 0)
    targets = np.arange(len(sequences.item))
    return build_queries(
        sequences, targets, num_items=ITEMS, exclude_seen=False
    )


def test_random_scores_are_the_same_for_one_seed() -> None:
    numbers = np.array([4, 2])
    first = baselines.random_scorer(ITEMS, 1)(numbers)
    assert first.shape == (2, ITEMS)
    np.testing.assert_array_equal(
        first, baselines.random_scorer(ITEMS, 1)(numbers)
    )


def test_random_scores_differ_by_seed_batch_and_query() -> None:
    scorer = baselines.random_scorer(ITEMS, 1)
    scores = scorer(np.array([4, 2]))
    assert (scores[0] != scores[1]).all()
    assert (scores != scorer(np.array([5, 2]))).all()
    assert (scores != baselines.random_scorer(ITEMS, 2)(np.array([4, 2]))).all()


def test_popularity_gives_everybody_the_counts() -> None:
    counts = np.array([3, 0, 7])
    scores = baselines.popularity_scorer(counts)(np.array([5, 9]))
    assert scores.tolist() == [[3, 0, 7], [3, 0, 7]]


def test_transitions_stay_within_a_user() -> None:
    events = make_events(
        user=[0, 0, 1, 1], timestamp=[1, 2, 1, 2], item=[3, 1, 2, 3],
        split=["train"] * 4,
    )
    sequences = build_sequences(
        events, DataConfig(split="column", validation_share=0.0), 0
    )
    pairs = baselines.train_transitions(sequences)
    assert pairs.tolist() == [[3, 1], [2, 3]]


def test_markov_counts_what_followed_the_last_item() -> None:
    # 2 -> 4 twice, 2 -> 1 once; the last user's last item is 2.
    events = make_events(
        user=[0, 0, 1, 1, 2, 2, 3, 3],
        timestamp=[1, 2] * 4,
        item=[2, 4, 2, 4, 2, 1, 2, 5],
        split=["train"] * 6 + ["train", "test"],
    )
    config = DataConfig(split="column", validation_share=0.0)
    queries = build_queries(
        build_sequences(events, config, 0),
        np.array([7]),
        num_items=ITEMS,
        exclude_seen=False,
    )
    scores = MarkovScorer(queries, np.zeros(ITEMS))(np.array([0]))
    assert scores.tolist() == [[0, 1, 0, 0, 2, 0]]


def test_popularity_alone_answers_where_there_is_no_history() -> None:
    events = make_events(user=[0], timestamp=[1], split=["test"])
    counts = np.array([4, 0, 1, 0, 0, 3])
    scores = MarkovScorer(queries_of(events), counts)(np.array([0]))
    np.testing.assert_allclose(scores, [counts / 5], rtol=1e-6)


@MANY
@given(
    event_tables(),
    st.lists(st.integers(0, 1000), min_size=ITEMS, max_size=ITEMS),
)
def test_markov_ranks_by_transitions_then_by_popularity(
    events: Events, popularity: list[int]
) -> None:
    queries = queries_of(events)
    sequences = queries.sequences
    user = np.repeat(
        np.arange(sequences.num_users), np.diff(sequences.starts)
    )
    follows = Counter(
        (int(sequences.item[row - 1]), int(sequences.item[row]))
        for row in range(1, len(user))
        if user[row] == user[row - 1]
        and sequences.split[row] == sequences.split[row - 1] == TRAIN
    )
    counts = np.array(popularity)
    scores = MarkovScorer(queries, counts)(np.arange(len(queries)))
    for row in range(len(user)):
        known = row > 0 and user[row] == user[row - 1]
        last = int(sequences.item[row - 1]) if known else None
        keys = [(follows[last, item], counts[item]) for item in range(ITEMS)]
        by_score = sorted(range(ITEMS), key=lambda i: (scores[row, i], i))
        by_count = sorted(range(ITEMS), key=lambda i: (keys[i], i))
        assert by_score == by_count


def test_all_baselines_score_the_whole_catalogue_by_name() -> None:
    events = make_events(user=[0, 0, 1], timestamp=[1, 2, 3], item=[2, 0, 2])
    sequences = build_sequences(events, DataConfig(split="leave_one_out"), 0)
    queries = build_queries(
        sequences, np.array([1]), num_items=4, exclude_seen=True
    )
    scorers = baselines.all_scorers(queries, seed=0)
    assert list(scorers) == ["random", "popularity", "markov"]
    scores = {name: scorer(np.array([0])) for name, scorer in scorers.items()}
    assert {table.shape for table in scores.values()} == {(1, 4)}
    assert scores["popularity"].tolist() == [[0.0, 0.0, 2.0, 0.0]]
