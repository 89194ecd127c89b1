"""What `metrics.json` says of a trained model on the held-out splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer import baselines, behaviour, evaluation
from trainer.evaluation import Queries
from trainer.job import Clock
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.reranking import Shortlists, compare, shortlists
from trainer.scoring import ModelScorer, is_high, ranking_quality


def held_out_report(
    model: TwoTower,
    prepared: Prepared,
    queries_of: Callable[[int], Queries],
    clock: Clock,
) -> dict[str, Any]:
    """Metrics of model and baselines.

    Args:
        model: trained.
        prepared: the data.
        queries_of: what is asked of a split.
        clock: notes what both took.
    """
    report: dict[str, Any] = {}
    found: list[Shortlists] = []
    with clock.stage("evaluate"):
        for name, split in (
            ("validation", behaviour.VALIDATION), ("test", behaviour.TEST)
        ):
            queries = queries_of(split)
            scorer = ModelScorer(model, prepared, queries)
            ranking = evaluation.rank_targets(queries, scorer, name)
            report[name] = {
                **ranking.summary(),
                **ranking_quality(model, prepared, queries, scorer),
            }
            if model.has_labels:
                high = is_high(prepared, queries.targets)
                found.append(shortlists(scorer, queries, high, name))
        if found:
            report["rerank"] = compare(*found)
        # Of the test split, which is the last of the loop.
        report["slices"] = evaluation.slice_summaries(
            queries, ranking, prepared.catalogue.counts, prepared.scenarios
        )
    with clock.stage("baselines"):
        scorers = baselines.all_scorers(queries, model.config.training.seed)
        if model.events:
            scorers |= baselines.recent_scorers(queries, model.events)
        report["baselines"] = {
            name: evaluation.rank_targets(queries, scorer, name).summary()
            for name, scorer in scorers.items()
        }
    return report
