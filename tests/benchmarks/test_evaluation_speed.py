"""Both systems of the speed benchmark measure the same thing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import evaluation_speed
from trainer.evaluation import Queries


@pytest.fixture(scope="module")
def queries() -> Queries:
    return evaluation_speed.generated_queries(900, 70)


def test_a_generated_history_holds_distinct_items(queries: Queries) -> None:
    assert queries.history_lengths.tolist() == [8] * 70
    for target in queries.targets:
        events = queries.sequences.item[target - 8 : target + 1]
        assert len(set(events.tolist())) == 9


def test_vectors_have_length_one_and_queries_lie_near_their_targets() -> None:
    targets = np.array([2, 0, 2])
    items, queries = evaluation_speed.planted_vectors(targets, 5, 40)
    for vectors in (items, queries):
        np.testing.assert_allclose(
            (vectors.astype(float) ** 2).sum(axis=1), 1, atol=1e-5
        )
    # 1 / sqrt(1 + 4^2), but for the noise's own part along the target.
    near = (queries * items[targets]).sum(axis=1)
    np.testing.assert_allclose(near, 1 / 17**0.5, atol=0.35)
    assert not np.allclose(queries[0], queries[2])


def test_top_10_accuracy_of_each_system_is_that_of_a_sort(
    queries: Queries
) -> None:
    targets = queries.items
    items, vectors = evaluation_speed.planted_vectors(targets, 900, 60)
    scores = vectors.astype(float) @ items.astype(float).T
    hits = [
        target in np.argsort(-row)[:10]
        for row, target in zip(scores, targets, strict=True)
    ]
    expected = sum(hits) / len(hits)
    assert 0.05 < expected < 0.95
    ours = evaluation_speed.ours(queries, items, vectors)
    assert ours() == pytest.approx(expected)
    theirs, by_ids = evaluation_speed.tfrs_systems(targets, items, vectors)
    assert len(theirs) == 6
    assert by_ids() == pytest.approx(expected)
    for name, evaluate in theirs.items():
        # By scores: rounding may set a target behind itself, one place down.
        assert evaluate() == pytest.approx(expected, abs=2 / 70), name
