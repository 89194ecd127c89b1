"""An exported bundle, asked by raw ids, against the model in memory."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from serving.manifest import BundleError
from trainer import behaviour
from trainer.bundle_scorer import (
    UNKNOWN_NAME,
    BundleScorer,
    ExactBundle,
    Requests,
)
from trainer.evaluation import Queries, build_queries, rank_targets
from trainer.run import Run
from trainer.scoring import ModelScorer


@pytest.fixture(scope="module")
def bundle(small_run: Run) -> ExactBundle:
    return ExactBundle(small_run.job_dir / "export" / "recommender" / "1")


@pytest.fixture(scope="module")
def queries(small_run: Run) -> Queries:
    sequences = small_run.prepared.sequences
    return build_queries(
        sequences, behaviour.target_rows(sequences, behaviour.TEST),
        num_items=130, exclude_seen=True,
    )


def test_the_bundle_scores_as_the_model_that_was_evaluated(
    small_run: Run, bundle: ExactBundle, queries: Queries
) -> None:
    numbers = np.arange(0, len(queries), 3)
    assert queries.history_lengths[numbers].max() > 9  # more than is read
    served = BundleScorer(bundle, small_run.prepared, queries)
    model = ModelScorer(small_run.model, small_run.prepared, queries)
    np.testing.assert_allclose(served(numbers), model(numbers), atol=1e-5)


def test_the_bundle_ranks_as_the_report_of_the_run_says(
    small_run: Run, bundle: ExactBundle, queries: Queries
) -> None:
    served = BundleScorer(bundle, small_run.prepared, queries)
    model = ModelScorer(small_run.model, small_run.prepared, queries)
    measured = rank_targets(queries, served, "bundle").summary()
    told = rank_targets(queries, model, "model").summary()
    assert measured == pytest.approx(told, abs=0.01)


def test_items_that_the_bundle_lacks_cannot_be_recommended(
    small_run: Run, bundle: ExactBundle, queries: Queries
) -> None:
    catalogue = small_run.prepared.catalogue
    ids = ["new", *catalogue.item_ids[1:]]
    prepared = dataclasses.replace(
        small_run.prepared,
        catalogue=dataclasses.replace(catalogue, item_ids=ids),
    )
    scores = BundleScorer(bundle, prepared, queries)(np.arange(5))
    assert np.isneginf(scores[:, 0]).all()
    assert np.isfinite(scores[:, 1:]).all()


def test_items_are_matched_by_id_and_not_by_place(
    small_run: Run, bundle: ExactBundle, queries: Queries
) -> None:
    catalogue, sequences = small_run.prepared.catalogue, queries.sequences
    other_way = 129 - np.arange(130)
    prepared = dataclasses.replace(
        small_run.prepared,
        catalogue=dataclasses.replace(
            catalogue, item_ids=catalogue.item_ids[::-1]
        ),
    )
    turned = dataclasses.replace(
        queries,
        sequences=dataclasses.replace(
            sequences, item=other_way[sequences.item]
        ),
    )
    numbers = np.arange(20)
    plain = BundleScorer(bundle, small_run.prepared, queries)(numbers)
    found = BundleScorer(bundle, prepared, turned)(numbers)
    np.testing.assert_allclose(found, plain[:, ::-1], atol=1e-5)


def test_requests_carry_names_and_times(
    small_run: Run, queries: Queries
) -> None:
    prepared, sequences = small_run.prepared, queries.sequences
    number = int(np.argmax(queries.history_lengths >= 4))
    asked = Requests(prepared, queries, max_history=3)(np.array([number]))
    target = queries.targets[number]
    rows = np.arange(target - 4, target)
    ids = [prepared.catalogue.item_ids[i] for i in sequences.item[rows]]
    assert asked["history_item_ids"].tolist() == [ids]
    times = asked["history_timestamps"][0]
    assert times.tolist() == sequences.timestamp[rows].tolist()


def test_an_unknown_type_is_not_asked_as_the_default_one(
    small_run: Run, queries: Queries
) -> None:
    sequences = dataclasses.replace(
        queries.sequences, event_type=queries.sequences.event_type * 0
    )
    number = int(np.argmax(queries.history_lengths >= 1))
    asked = Requests(
        small_run.prepared,
        dataclasses.replace(queries, sequences=sequences),
        max_history=1,
    )(np.array([number]))
    assert set(asked["history_event_types"].ravel()) == {UNKNOWN_NAME}


def test_users_without_history_are_asked_with_empty_rows(
    small_run: Run, bundle: ExactBundle, queries: Queries
) -> None:
    first = queries.sequences.starts[:3]
    alone = build_queries(
        queries.sequences, first, num_items=130, exclude_seen=True
    )
    scorer = BundleScorer(bundle, small_run.prepared, alone)
    assert scorer.requests(np.arange(3))["history_item_ids"].shape == (3, 0)
    assert np.isfinite(scorer(np.arange(3))).all()


def test_an_index_is_refused(small_run: Run) -> None:
    twin = small_run.job_dir / "export" / "recommender_scann" / "1"
    with pytest.raises(BundleError, match="pass the exact one"):
        ExactBundle(twin)
