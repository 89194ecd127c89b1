"""Scores for evaluation against the towers themselves, and by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trainer import behaviour, evaluation
from trainer.evaluation import Queries
from trainer.run import Run
from trainer.scoring import ModelScorer, is_high, ranking_quality


@pytest.fixture
def queries(small_run: Run) -> Queries:
    sequences = small_run.prepared.sequences
    return evaluation.build_queries(
        sequences,
        behaviour.target_rows(sequences, behaviour.TEST),
        num_items=len(small_run.prepared.catalogue),
        exclude_seen=True,
    )


@pytest.fixture
def scorer(small_run: Run, queries: Queries) -> ModelScorer:
    return ModelScorer(small_run.model, small_run.prepared, queries)


def test_a_score_is_the_product_of_query_and_item(small_run, scorer):
    numbers = np.array([5, 0, 3])
    scores = scorer(numbers)
    vectors = small_run.model.catalogue_vectors().numpy()
    assert scores.shape == (3, len(vectors))
    for row, query in enumerate(scorer.embed(numbers)):
        assert scores[row, 7] == pytest.approx(query @ vectors[7], abs=1e-5)


def test_queries_of_unlike_lengths_do_not_mix(scorer, queries):
    lengths = queries.history_lengths
    numbers = np.array([lengths.argmin(), lengths.argmax()])
    assert lengths[numbers[0]] < 4 < lengths[numbers[1]]
    together = scorer.embed(numbers)
    alone = [scorer.embed(numbers[[row]])[0] for row in (0, 1)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_rmse_and_auc_of_ratings_by_hand(small_run, queries, scorer):
    prepared, model = small_run.prepared, small_run.model
    found = ranking_quality(model, prepared, queries, scorer)

    ratings = prepared.sequences.rating
    is_rated = ~np.isnan(ratings)
    train = ratings[(prepared.sequences.split == 0) & is_rated]
    vectors = model.catalogue_vectors().numpy()
    known, predicted = [], []
    for number, target in enumerate(queries.targets):
        if is_rated[target]:
            query = scorer.embed(np.array([number]))
            item = vectors[prepared.sequences.item[[target]]]
            known.append(ratings[target])
            # Ratings from 1 to 5 are learnt as 0 to 1.
            asked = prepared.sequences.scenario[[target]]
            (scaled,) = model.predicted(query, item, asked).numpy()
            predicted.append(1 + 4 * scaled)
    known, predicted = np.array(known), np.array(predicted)

    assert found["labels"] == len(known) > 50
    squares = (known - predicted) ** 2
    assert found["rmse"] == pytest.approx(squares.mean() ** 0.5, rel=1e-4)
    of_mean = (known - train.mean()) ** 2
    assert found["rmse_of_mean"] == pytest.approx(of_mean.mean() ** 0.5)
    good = known >= np.median(train)
    gaps = predicted[good][:, None] - predicted[~good][None, :]
    share = (gaps > 0).mean() + (gaps == 0).mean() / 2
    assert found["auc"] == pytest.approx(share, abs=1e-3)


def with_labels(run: Run, queries: Queries, labels: np.ndarray) -> dict:
    prepared = dataclasses.replace(run.prepared, labels=labels)
    scorer = ModelScorer(run.model, prepared, queries)
    return ranking_quality(run.model, prepared, queries, scorer)


def test_targets_without_a_label_have_no_ranking_quality(small_run, queries):
    labels = small_run.prepared.labels.copy()
    labels[queries.targets] = np.nan
    assert with_labels(small_run, queries, labels) == {}


def test_labels_on_one_side_have_no_auc(small_run, queries):
    labels = small_run.prepared.labels.copy()
    labels[queries.targets] = 1.0
    found = with_labels(small_run, queries, labels)
    assert set(found) == {"rmse", "rmse_of_mean", "labels"}


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ([0.1, 0.3, 0.3, 1.0], [False, True, True, False]),  # from .3
        ([0.1, 0.1, 0.1, 1.0], [False, True, True, False]),  # above .1
        ([0.2, 0.4, 1.0, 1.0], [False, False, True, False]),  # from .7
        ([np.nan] * 4, [False] * 4),
    ],
)
def test_high_labels_are_those_from_the_median_or_above_the_lowest(
    small_run, train, expected
):
    prepared = small_run.prepared
    split = np.array([0] * 4 + [2] * 4, np.int8)
    labels = np.array([*train, 0.1, 0.3, 1.0, np.nan], np.float32)
    sequences = dataclasses.replace(prepared.sequences, split=split)
    few = dataclasses.replace(prepared, sequences=sequences, labels=labels)
    found = is_high(few, np.array([4, 5, 6, 7]))
    assert found.tolist() == expected
