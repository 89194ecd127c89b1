"""Baselines that a learned model must beat: random, popularity, Markov."""

from __future__ import annotations

import numpy as np

from trainer.behaviour import TRAIN, Sequences
from trainer.evaluation import Queries, Scorer
from trainer.event_counts import EventCounts


def all_scorers(queries: Queries, seed: int) -> dict[str, Scorer]:
    """Every baseline by name, for one set of queries."""
    counts = queries.train_counts
    return {
        "random": random_scorer(queries.num_items, seed),
        "popularity": popularity_scorer(counts),
        "markov": MarkovScorer(queries, counts),
    }


def recent_scorers(queries: Queries, events: EventCounts) -> dict[str, Scorer]:
    """Popularity of the moment by each half-life alone, by name."""

    def scorer(number: int) -> Scorer:
        def score(numbers: np.ndarray) -> np.ndarray:
            return np.asarray(events.at(queries.moments[numbers])[number])

        return score

    return {
        f"popularity at {hours:g} h": scorer(number)
        for number, hours in enumerate(events.half_lives)
    }


def random_scorer(num_items: int, seed: int) -> Scorer:
    """Even scores: what a ranking is worth that knows nothing."""

    def score(numbers: np.ndarray) -> np.ndarray:
        generator = np.random.default_rng([seed, int(numbers[0])])
        return generator.random((len(numbers), num_items), np.float32)

    return score


def popularity_scorer(train_counts: np.ndarray) -> Scorer:
    """Train events of each item, the same for everybody."""
    counts = train_counts.astype(np.float32)

    def score(numbers: np.ndarray) -> np.ndarray:
        return np.tile(counts, (len(numbers), 1))

    return score


class MarkovScorer:
    """First-order Markov chain: what followed the last item, and how often.

    score(item | last) = transitions last -> item among neighbouring train
    events of one user, then popularity, which only breaks ties.

    Args:
        queries: what will be asked.
        train_counts: [items] train events of each item.
    """

    def __init__(self, queries: Queries, train_counts: np.ndarray) -> None:
        pairs = train_transitions(queries.sequences)
        order = np.argsort(pairs[:, 0], kind="stable")
        self._next = pairs[order, 1]
        self._starts = np.searchsorted(
            pairs[order, 0], np.arange(queries.num_items + 1)
        )
        self._queries = queries
        # Below one transition, whatever the popularity.
        self._popularity = (
            train_counts / (1.0 + train_counts.max(initial=0))
        ).astype(np.float32)

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        scores = np.tile(self._popularity, (len(numbers), 1))
        queries = self._queries
        lengths = queries.history_lengths[numbers]
        for row in np.flatnonzero(lengths):
            last = queries.sequences.item[queries.targets[numbers[row]] - 1]
            following = self._next[self._starts[last] : self._starts[last + 1]]
            np.add.at(scores[row], following, 1.0)
        return scores


def train_transitions(sequences: Sequences) -> np.ndarray:
    """[pairs, 2] items of neighbouring train events of one user."""
    same_user = np.ones(len(sequences.item), bool)
    first = sequences.starts[:-1][np.diff(sequences.starts) > 0]
    same_user[first] = False  # a first event follows nothing
    is_train = sequences.split == TRAIN
    follows = same_user[1:] & is_train[1:] & is_train[:-1]
    return np.stack(
        [sequences.item[:-1][follows], sequences.item[1:][follows]], axis=1
    )
