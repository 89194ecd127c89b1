"""The trainer's metrics against slow ones, written from the definitions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from trainer import metrics
from trainer.behaviour import TEST, TRAIN, Sequences
from trainer.evaluation import Ranking, build_queries, rank_targets

USERS, EVENTS, ITEMS = 23, 7, 31
TOLERANCE = dict(rtol=0, atol=1e-9)


def slow_rank(scores: list[float], target: int) -> float:
    """Place of the target in the sorted list; last among its equals."""
    if scores[target] == -math.inf:
        return math.inf
    ordered = sorted(scores, reverse=True)
    return len(ordered) - ordered[::-1].index(scores[target])


def slow_recall(rank: float, k: int) -> float:
    relevant_found = sum(1 for place in range(1, k + 1) if place == rank)
    return relevant_found / 1  # one relevant item


def slow_ndcg(rank: float, k: int) -> float:
    gains = [1.0 if place == rank else 0.0 for place in range(1, k + 1)]
    ideal = [1.0] + [0.0] * (k - 1)

    def dcg(values: list[float]) -> float:
        return sum(
            value / math.log2(place + 1)
            for place, value in enumerate(values, start=1)
        )

    return dcg(gains) / dcg(ideal)


def slow_mrr(rank: float, k: int) -> float:
    for place in range(1, k + 1):
        if place == rank:
            return 1 / place
    return 0.0


def slow_coverage(lists: list[list[int]], items: int) -> float:
    return len({item for row in lists for item in row}) / items


def slow_gini(lists: list[list[int]], items: int) -> float:
    """Mean absolute difference of all pairs over twice the mean."""
    times = [sum(row.count(item) for row in lists) for item in range(items)]
    pairs = [abs(a - b) for a in times for b in times]
    return (sum(pairs) / items**2) / (2 * sum(times) / items)


def slow_novelty(lists: list[list[int]], train: list[int]) -> float:
    """Mean over lists of the mean of -log2 (count + 1) / (all + items)."""
    rows = []
    for row in lists:
        bits = [
            -math.log2((train.count(item) + 1) / (len(train) + ITEMS))
            for item in row
        ]
        rows.append(sum(bits) / len(bits) if bits else 0.0)
    return sum(rows) / len(rows)


def random_sequences(rng: np.random.Generator) -> Sequences:
    """Users of unlike length whose last event is the test target."""
    lengths = rng.integers(1, EVENTS + 1, USERS)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    split = np.full(starts[-1], TRAIN, np.int8)
    split[starts[1:] - 1] = TEST
    nothing = np.zeros(starts[-1], np.int32)
    item = rng.integers(0, ITEMS, starts[-1]).astype(np.int32)
    return Sequences(
        starts, item, nothing, nothing, nothing,
        np.arange(starts[-1]), np.full(starts[-1], np.nan, np.float32), split,
    )


class Evaluated:
    """One random evaluation, and what is needed to do it again by hand."""

    def __init__(self, seed: int, levels: int | None, exclude: bool) -> None:
        rng = np.random.default_rng(seed)
        self.sequences = random_sequences(rng)
        targets = np.flatnonzero(self.sequences.split == TEST)
        if levels is None:  # all scores of a row differ
            rows = [rng.permutation(ITEMS) for _ in range(USERS)]
            self.scores = np.array(rows, np.float32)
        else:
            drawn = rng.integers(0, levels, (USERS, ITEMS))
            self.scores = drawn.astype(np.float32) / 8
        queries = build_queries(
            self.sequences, targets, num_items=ITEMS, exclude_seen=exclude
        )
        self.ranking: Ranking = rank_targets(
            queries, lambda numbers: self.scores[numbers], "test"
        )
        self.exclude = exclude

    def admissible(self) -> list[tuple[list[float], int]]:
        """Scores of each user with seen items out, and the target."""
        found = []
        for user in range(USERS):
            first, end = self.sequences.starts[user : user + 2]
            history = self.sequences.item[first : end - 1].tolist()
            scores = self.scores[user].astype(float).tolist()
            if self.exclude:
                for item in history:
                    scores[item] = -math.inf
            found.append((scores, int(self.sequences.item[end - 1])))
        return found

    def best(self) -> list[list[int]]:
        """The ten best admissible items of each user."""
        lists = []
        for scores, _ in self.admissible():
            order = sorted(range(ITEMS), key=lambda i: -scores[i])
            lists.append([i for i in order[:10] if scores[i] > -math.inf])
        return lists


RANK_METRICS: dict[str, tuple[Callable[[float, int], float], int]] = {
    "recall@5": (slow_recall, 5),
    "recall@10": (slow_recall, 10),
    "recall@100": (slow_recall, 100),
    "ndcg@5": (slow_ndcg, 5),
    "ndcg@10": (slow_ndcg, 10),
    "mrr@10": (slow_mrr, 10),
}


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("levels", [None, 2, 6], ids=["none", "many", "some"])
@pytest.mark.parametrize("seed", range(5))
def test_rank_metrics_with_ties_and_exclusions(
    seed: int, levels: int | None, exclude: bool
) -> None:
    evaluated = Evaluated(seed, levels, exclude)
    ranks = [slow_rank(*each) for each in evaluated.admissible()]
    per_query = evaluated.ranking.per_query()
    summary = evaluated.ranking.summary()
    for name, (slow, k) in RANK_METRICS.items():
        expected = [slow(rank, k) for rank in ranks]
        np.testing.assert_allclose(per_query[name], expected, **TOLERANCE)
        np.testing.assert_allclose(
            summary[name], sum(expected) / USERS, **TOLERANCE
        )
    assert summary["queries"] == USERS


def test_the_random_logs_have_what_the_oracle_is_for() -> None:
    """Ties with the target, and targets that were seen before."""
    tied = unreachable = 0
    for seed in range(5):
        for scores, target in Evaluated(seed, 2, True).admissible():
            tied += scores.count(scores[target]) > 1
            unreachable += scores[target] == -math.inf
    assert tied > 50
    assert unreachable > 5


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_list_metrics(seed: int, exclude: bool) -> None:
    evaluated = Evaluated(seed, None, exclude)
    lists, sequences = evaluated.best(), evaluated.sequences
    train = sequences.item[sequences.split == TRAIN].tolist()
    summary = evaluated.ranking.summary()
    for name, expected in {
        "coverage@10": slow_coverage(lists, ITEMS),
        "gini@10": slow_gini(lists, ITEMS),
        "novelty@10": slow_novelty(lists, train),
    }.items():
        np.testing.assert_allclose(summary[name], expected, **TOLERANCE)


def test_short_lists_count_what_they_hold() -> None:
    lists = [[0, 2], [], [2, 1, 4]]
    padded = np.array([row + [-1] * (4 - len(row)) for row in lists])
    train = [0, 0, 1, 4, 4, 4]
    counts = np.bincount(train, minlength=ITEMS)
    novelty = metrics.novelty(padded, metrics.self_information(counts))
    for value, expected in (
        (metrics.coverage(padded, ITEMS), slow_coverage(lists, ITEMS)),
        (metrics.gini(padded, ITEMS), slow_gini(lists, ITEMS)),
        (novelty.mean(), slow_novelty(lists, train)),
    ):
        np.testing.assert_allclose(value, expected, **TOLERANCE)
