"""Lists ordered anew: by hand on four queries, and on a trained model."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from trainer import behaviour, evaluation
from trainer.evaluation import Queries
from trainer.metrics import UNREACHABLE
from trainer.reranking import DEPTH, Shortlists, compare, shortlists
from trainer.run import Run
from trainer.scoring import ModelScorer, is_high

OUT = -np.inf
# Three places; the second list holds two items, the third not the target.
LISTS = Shortlists(
    retrieval=np.array(
        [[0.9, 0.8, 0.7], [0.9, 0.8, OUT], [0.9, 0.8, 0.7], [0.9, 0.8, 0.7]],
        np.float32,
    ),
    head=np.array(
        [[0.1, 0.9, 0.2], [0.1, 0.2, 9.9], [0.5, 0.1, 0.9], [0.5, 0.5, 0.1]],
        np.float32,
    ),
    is_target=np.array([
        [False, True, False], [True, False, False],
        [False, False, False], [True, False, False],
    ]),
    is_high=np.array([True, False, True, False]),
)


def test_places_before_and_after_by_hand() -> None:
    assert LISTS.ranks(LISTS.retrieval).tolist() == [2, 1, UNREACHABLE, 1]
    # The third item of the second list may not be recommended; in the fourth
    # list the head has a tie, which counts against the target.
    assert LISTS.ranks(LISTS.head).tolist() == [1, 2, UNREACHABLE, 2]


def test_the_head_counts_beside_retrieval_by_its_weight() -> None:
    assert LISTS.blended(0.0).tolist() == [2, 1, UNREACHABLE, 1]
    # .8 + .18 passes .9 + .02; .8 + .04 does not pass .9 + .02.
    assert LISTS.blended(0.2).tolist() == [1, 1, UNREACHABLE, 1]
    # .8 + .4 passes .9 + .2 now.
    assert LISTS.blended(2.0).tolist() == [1, 2, UNREACHABLE, 1]


def test_the_weight_is_the_best_and_least_on_the_same_validation_group() -> (
    None
):
    found = compare(LISTS, LISTS)
    # Of WEIGHTS only 0.2 and more bring the first target up, and only 1.0
    # brings the second one down to a tie.
    assert found["all"]["weight"] == 0.2
    assert found["high"]["weight"] == 0.2
    only_low = dataclasses.replace(LISTS, is_high=~LISTS.is_high)
    assert compare(only_low, LISTS)["high"]["weight"] == 0.0
    nobody = dataclasses.replace(LISTS, is_high=np.zeros(4, bool))
    assert compare(nobody, LISTS)["high"]["weight"] == 0.0


def test_the_report_has_the_test_figures_of_both_groups() -> None:
    found = compare(LISTS, LISTS)
    assert found["depth"] == 3
    second = 1 / math.log2(3)
    expected = {
        "all": {
            "retrieval": (2 + second) / 4,
            "head": (1 + 2 * second) / 4,
            "blend": 3 / 4,
        },
        "high": {"retrieval": second / 2, "head": 1 / 2, "blend": 1 / 2},
    }
    for group, by_order in expected.items():
        for order, value in by_order.items():
            assert found[group][order]["ndcg@10"] == pytest.approx(value)
            queries = found[group][order]["queries"]
            assert queries == {"all": 4, "high": 2}[group]


@pytest.fixture
def queries(small_run: Run) -> Queries:
    sequences = small_run.prepared.sequences
    return evaluation.build_queries(
        sequences,
        behaviour.target_rows(sequences, behaviour.TEST),
        num_items=len(small_run.prepared.catalogue),
        exclude_seen=True,
    )


def test_the_lists_of_a_model_are_what_it_recommends_and_the_head_says(
    small_run: Run, queries: Queries
) -> None:
    scorer = ModelScorer(small_run.model, small_run.prepared, queries)
    high = is_high(small_run.prepared, queries.targets)
    lists = shortlists(scorer, queries, high, "")
    full = evaluation.rank_targets(queries, scorer, "").ranks
    reached = full <= DEPTH
    assert 0 < reached.sum() < len(queries)
    np.testing.assert_array_equal(
        lists.ranks(lists.retrieval)[reached], full[reached]
    )
    assert (lists.ranks(lists.head)[~reached] == UNREACHABLE).all()
    # The target's own column, against the head asked about the target alone.
    numbers = np.flatnonzero(reached)[:5]
    alone = scorer.predictions(
        numbers, scorer.embed(numbers), queries.items[numbers, None]
    )[:, 0]
    np.testing.assert_allclose(
        lists.head[numbers][lists.is_target[numbers]], alone, atol=1e-5
    )


def test_seen_items_are_beyond_the_list(
    small_run: Run, queries: Queries
) -> None:
    """Of 130 items, who has seen more than 30 is left fewer than 100."""
    scorer = ModelScorer(small_run.model, small_run.prepared, queries)
    lists = shortlists(scorer, queries, np.zeros(len(queries), bool), "")
    sequences = queries.sequences
    for number in np.argsort(queries.history_lengths)[[0, -1]]:
        start = sequences.starts[queries.user[number]]
        seen = np.unique(sequences.item[start : queries.targets[number]])
        admissible = min(DEPTH, 130 - len(seen))
        assert np.isfinite(lists.retrieval[number]).sum() == admissible
    assert admissible < DEPTH  # of the longest history
