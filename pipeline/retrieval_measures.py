"""Everything that `evaluation.json` says of a model's retrieval."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from trainer import baselines, behaviour
from trainer.bundle_scorer import BundleScorer, ExactBundle
from trainer.evaluation import (
    Queries,
    Ranking,
    build_queries,
    rank_targets,
    slices,
)
from trainer.intervals import cold_curve, with_intervals
from trainer.metrics import summarise
from trainer.prepare import Prepared

_SAMPLE_USERS = 8
_SAMPLE_HISTORY = 10  # events of a sampled user that are shown, the latest

Metrics = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Measured:
    """One bundle and the ranking that it gives.

    Attributes:
        scorer: of the bundle over the queries.
        ranking: of the queries' targets.
    """

    scorer: BundleScorer
    ranking: Ranking


def held_out_queries(
    prepared: Prepared, *, exclude_seen: bool, limit: int, seed: int
) -> Queries:
    """Queries of the test split, at most `limit` of them, drawn."""
    sequences = prepared.sequences
    return build_queries(
        sequences,
        behaviour.target_rows(
            sequences, behaviour.TEST, limit=limit, seed=seed
        ),
        num_items=len(prepared.catalogue),
        exclude_seen=exclude_seen,
    )


def measure_bundle(
    bundle: ExactBundle, prepared: Prepared, queries: Queries, name: str
) -> Measured:
    """Ranks every target by what the bundle would serve."""
    scorer = BundleScorer(bundle, prepared, queries)
    return Measured(scorer, rank_targets(queries, scorer, name))


def describe(
    model: Measured,
    previous: Measured | None,
    prepared: Prepared,
    queries: Queries,
    seed: int,
) -> dict[str, Any]:
    """The parts of `evaluation.json` that rankings tell.

    Coverage and gini have no interval: a resample repeats queries and so
    sees fewer items than there were, and its values lie to one side.
    """
    ranking = model.ranking
    return {
        "queries": len(queries),
        "model": _overall(ranking, seed),
        "baselines": {
            name: _without_count(rank_targets(queries, scorer, name).summary())
            for name, scorer in baselines.all_scorers(queries, seed).items()
        },
        "previous": previous and _without_count(previous.ranking.summary()),
        "slices": _by_slice(queries, ranking, prepared, seed),
        "cold_curve": cold_curve(queries, ranking, seed=seed),
        "forgetting": previous and forgetting(ranking, previous, queries),
        "samples": samples(queries, ranking, prepared, seed),
    }


def forgetting(
    ranking: Ranking, previous: Measured, queries: Queries
) -> dict[str, Any]:
    """Both models on the targets that the previous one could recommend."""
    is_old = previous.scorer.is_known[queries.items]
    return {
        "of": "targets that are items of the last blessed model",
        "queries": int(is_old.sum()),
        "model": _without_count(summarise(ranking.ranks[is_old])),
        "previous": _without_count(summarise(previous.ranking.ranks[is_old])),
    }


def samples(
    queries: Queries, ranking: Ranking, prepared: Prepared, seed: int
) -> list[dict[str, Any]]:
    """A few users: history, target and recommendations, by title."""
    lengths = queries.history_lengths
    with_history = np.flatnonzero(lengths)
    if not len(with_history):
        return []
    _, first = np.unique(queries.user[with_history], return_index=True)
    users = with_history[first]  # one query each
    generator = np.random.default_rng(seed)
    count = min(_SAMPLE_USERS, len(users))
    titles, items = prepared.catalogue.titles, queries.sequences.item

    def sample(number: int) -> dict[str, Any]:
        target = queries.targets[number]
        shown = min(_SAMPLE_HISTORY, lengths[number])
        listed = ranking.lists[number]
        return {
            "user": f"user {queries.user[number]}",
            "history": [titles[i] for i in items[target - shown : target]],
            "target": titles[items[target]],
            "recommended": [titles[i] for i in listed[listed >= 0]],
        }

    drawn = np.sort(generator.choice(users, count, replace=False))
    return [sample(int(number)) for number in drawn]


def _overall(ranking: Ranking, seed: int) -> dict[str, Any]:
    over_all = {
        "coverage@10": ranking.coverage,
        "gini@10": ranking.gini,
    }
    return {
        **with_intervals(ranking.per_query(), seed=seed),
        **{
            name: {"value": value, "low": None, "high": None}
            for name, value in over_all.items()
        },
    }


def _by_slice(
    queries: Queries, ranking: Ranking, prepared: Prepared, seed: int
) -> dict[str, Any]:
    """Metrics with intervals of every slice that has a query."""
    values = ranking.per_query()
    members = slices(
        queries, prepared.catalogue.counts, prepared.scenarios
    )
    return {
        name: {
            **with_intervals(
                {metric: v[chosen] for metric, v in values.items()}, seed=seed
            ),
            "queries": int(chosen.sum()),
        }
        for name, chosen in members.items()
        if chosen.any()
    }


def _without_count(summary: Metrics) -> Metrics:
    return {k: v for k, v in summary.items() if k != "queries"}
