"""Metrics against hand-worked numbers and slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import metrics
from trainer.metrics import UNREACHABLE

MANY = settings(max_examples=100, deadline=None)
# Few values, so that there are ties; minus infinity is an excluded item.
SCORES = st.sampled_from([-1.5, 0.0, 0.25, 2.0, -math.inf])


@st.composite
def score_tables(
    draw: st.DrawFn,
) -> tuple[list[list[float]], list[int]]:
    width = draw(st.integers(1, 7))
    row = st.lists(SCORES, min_size=width, max_size=width)
    scores = draw(st.lists(row, min_size=1, max_size=4))
    targets = [draw(st.integers(0, width - 1)) for _ in scores]
    return scores, targets


def test_the_best_of_three_has_rank_one() -> None:
    ranks = metrics.target_ranks(np.array([[0.1, 0.9, 0.5]]), np.array([1]))
    assert ranks.tolist() == [1]


def test_ties_count_against_the_target() -> None:
    scores = np.array([[0.5, 0.5, 0.5, 9.0]])
    ranks = metrics.target_ranks(scores, np.array([0]))
    assert ranks.tolist() == [4]


def test_an_excluded_target_is_unreachable() -> None:
    scores = np.array([[-np.inf, 1.0], [-np.inf, -np.inf]])
    ranks = metrics.target_ranks(scores, np.array([0, 1]))
    assert ranks.tolist() == [UNREACHABLE, UNREACHABLE]


def test_excluded_items_are_not_before_the_target() -> None:
    scores = np.array([[-np.inf, -7.0, -np.inf]])
    assert metrics.target_ranks(scores, np.array([1])).tolist() == [1]


def test_scores_that_are_no_numbers_count_against_the_model() -> None:
    scores = np.array([[np.nan, np.nan, np.nan], [np.nan, 1.0, 0.0]])
    ranks = metrics.target_ranks(scores, np.array([2, 1]))
    assert ranks.tolist() == [3, 2]


def test_no_queries_have_no_ranks() -> None:
    ranks = metrics.target_ranks(np.zeros((0, 3)), np.zeros(0, int))
    assert ranks.shape == (0,)


@MANY
@given(score_tables())
def test_ranks_equal_a_sort_that_puts_the_target_last_of_its_ties(
    table: tuple[list[list[float]], list[int]]
) -> None:
    scores, targets = table
    expected = []
    for row, target in zip(scores, targets, strict=True):
        order = sorted(
            range(len(row)), key=lambda i: (-row[i], i == target)
        )
        excluded = row[target] == -math.inf
        expected.append(UNREACHABLE if excluded else order.index(target) + 1)
    ranks = metrics.target_ranks(np.array(scores), np.array(targets))
    assert ranks.tolist() == expected


def test_recall_is_one_up_to_the_kth_place() -> None:
    ranks = np.array([1, 3, 4, UNREACHABLE])
    assert metrics.recall(ranks, 3).tolist() == [1, 1, 0, 0]


def test_nothing_is_found_in_a_list_of_none() -> None:
    ranks = np.array([1, 2])
    assert metrics.recall(ranks, 0).tolist() == [0, 0]
    assert metrics.ndcg(ranks, 0).tolist() == [0, 0]
    assert metrics.mrr(ranks, 0).tolist() == [0, 0]


def test_ndcg_by_hand() -> None:
    # 1 / log2(2), 1 / log2(4), 1 / log2(8), and beyond the list.
    found = metrics.ndcg(np.array([1, 3, 7, 8, UNREACHABLE]), 7)
    np.testing.assert_allclose(found, [1, 0.5, 1 / 3, 0, 0], atol=1e-12)


def test_mrr_by_hand() -> None:
    found = metrics.mrr(np.array([1, 4, 5, UNREACHABLE]), 4)
    np.testing.assert_allclose(found, [1, 0.25, 0, 0], atol=1e-12)


@MANY
@given(
    st.lists(st.integers(1, 14) | st.just(UNREACHABLE), max_size=12),
    st.integers(1, 12),
)
def test_list_metrics_equal_those_of_relevance_lists(
    ranks: list[int], k: int
) -> None:
    """DCG over IDCG, and the first hit, of 0/1 relevance lists."""
    for rank, recall, ndcg, mrr in zip(
        ranks,
        metrics.recall(np.array(ranks, np.int64), k),
        metrics.ndcg(np.array(ranks, np.int64), k),
        metrics.mrr(np.array(ranks, np.int64), k),
        strict=True,
    ):
        relevance = [int(place == rank) for place in range(1, k + 1)]
        dcg = sum(r / math.log(i + 2, 2) for i, r in enumerate(relevance))
        first = relevance.index(1) + 1 if 1 in relevance else math.inf
        assert recall == sum(relevance)
        assert ndcg == pytest.approx(dcg, abs=1e-9)
        assert mrr == pytest.approx(1 / first, abs=1e-9)


def test_coverage_counts_distinct_items_that_are_shown() -> None:
    lists = np.array([[3, 0, -1], [0, 3, 4]])
    assert metrics.coverage(lists, 8) == pytest.approx(3 / 8, abs=1e-12)


def test_coverage_of_the_whole_catalogue_is_one() -> None:
    assert metrics.coverage(np.array([[1, 0]]), 2) == 1.0


def test_coverage_of_empty_lists_is_zero() -> None:
    assert metrics.coverage(np.full((2, 3), -1), 5) == 0.0
    assert metrics.coverage(np.zeros((0, 3), int), 5) == 0.0


def test_rmse_by_hand() -> None:
    found = metrics.rmse(np.array([1.0, 4.0, 2.0]), np.array([1.0, 2.0, 4.0]))
    assert found == pytest.approx(math.sqrt(8 / 3), abs=1e-12)


def test_auc_by_hand() -> None:
    # Of four pairs (positive, negative), two won, one tied, one lost.
    scores = np.array([0.9, 0.3, 0.5, 0.3])
    is_positive = np.array([True, True, False, False])
    assert metrics.auc(scores, is_positive) == pytest.approx(2.5 / 4)


@MANY
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.0, 3.0]), st.booleans()),
        min_size=1,
        max_size=25,
    )
)
def test_auc_equals_the_count_over_all_pairs(rows: list) -> None:
    positives = [score for score, is_positive in rows if is_positive]
    negatives = [score for score, is_positive in rows if not is_positive]
    wins = sum(
        (p > n) + 0.5 * (p == n) for p in positives for n in negatives
    )
    found = metrics.auc(*map(np.array, zip(*rows, strict=True)))
    if positives and negatives:
        expected = wins / (len(positives) * len(negatives))
        assert found == pytest.approx(expected, abs=1e-9)
    else:
        assert math.isnan(found)


def test_auc_of_nothing_is_no_number() -> None:
    assert math.isnan(metrics.auc(np.zeros(0), np.zeros(0, bool)))


def test_summary_holds_means_over_queries() -> None:
    ranks = np.array([1, 7, 50, UNREACHABLE])
    expected = {
        "recall@5": 1 / 4,
        "recall@10": 2 / 4,
        "recall@100": 3 / 4,
        "ndcg@5": 1 / 4,
        "ndcg@10": (1 + 1 / 3) / 4,
        "mrr@10": (1 + 1 / 7) / 4,
        "queries": 4,
    }
    found = metrics.summarise(ranks)
    assert found == pytest.approx(expected, abs=1e-9)


def test_summary_of_no_queries_has_no_means() -> None:
    assert metrics.summarise(np.zeros(0, np.int64)) == {"queries": 0}


def test_gini_is_zero_where_all_items_are_shown_alike() -> None:
    assert metrics.gini(np.array([[0, 1], [2, 3]]), 4) == 0.0


def test_gini_of_one_item_alone_is_one_less_its_share() -> None:
    assert metrics.gini(np.array([[2], [2], [2]]), 5) == pytest.approx(0.8)


def test_gini_of_nothing_shown_is_zero() -> None:
    assert metrics.gini(np.full((3, 2), -1), 5) == 0.0


@MANY
@given(
    st.lists(
        st.lists(st.integers(-1, 4), min_size=3, max_size=3), min_size=1
    )
)
def test_gini_is_half_the_relative_mean_difference(
    lists: list[list[int]]
) -> None:
    counts = [sum(row.count(item) for row in lists) for item in range(5)]
    differences = [abs(a - b) for a in counts for b in counts]
    mean = sum(counts) / 5
    expected = 0.5 * (sum(differences) / 25) / mean if mean else 0.0
    assert metrics.gini(np.array(lists), 5) == pytest.approx(expected)


def test_self_information_counts_one_event_more_for_each_item() -> None:
    # Shares 2/8, 1/8, 5/8 of the train events.
    bits = metrics.self_information(np.array([1, 0, 4]))
    assert bits.tolist() == pytest.approx([2.0, 3.0, math.log2(8 / 5)])


def test_novelty_is_the_mean_over_the_items_that_are_there() -> None:
    lists = np.array([[0, 1], [2, -1], [-1, -1]])
    values = metrics.novelty(lists, np.array([1.0, 2.0, 7.0]))
    assert values.tolist() == [1.5, 7.0, 0.0]


def test_a_rank_in_a_list_is_the_place_of_the_target() -> None:
    lists = np.array([[4, 2, 9], [4, 2, -1], [-1, -1, -1]])
    found = metrics.list_ranks(lists, np.array([9, 7, 3]))
    assert found.tolist() == [3, metrics.UNREACHABLE, metrics.UNREACHABLE]


def test_the_distance_in_a_list_is_the_mean_over_its_pairs() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    lists = np.array([[0, 1, 2], [2, 0, -1], [1, -1, -1], [-1, -1, -1]])
    # Cosines 0, .6 and .8 in the first list, .6 in the second.
    np.testing.assert_allclose(
        metrics.intra_list_distance(lists, vectors),
        [1 - 1.4 / 3, 0.4, 0.0, 0.0],
    )
