"""Ranks of every test target under the model and under the baselines."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import neighbours, slices, treatments
from benchmarks.quality.held_out_queries import held_out_queries
from benchmarks.quality.measure_names import MODEL, RANKS, SEEN_REMOVED
from benchmarks.quality.random_split import SHIFT
from benchmarks.quality.whole_histories import with_whole_histories
from trainer import baselines, behaviour, evaluation
from trainer.evaluation import Queries, Scorer
from trainer.job import peak_memory_mb
from trainer.metrics import summarise
from trainer.prepare import Prepared, prepare
from trainer.run import Run
from trainer.scoring import ModelScorer
from trainer.tables import load_dataset
from trainer.text_cache import TextCache


@dataclasses.dataclass(frozen=True)
class Asked:
    """The test queries of a run.

    Attributes:
        prepared: data that the queries are about.
        queries: what is asked.
        targets: [queries] arrays by name: user and item id, train events of
            both, whether the item was made cold.
    """

    prepared: Prepared
    queries: Queries
    targets: dict[str, np.ndarray]


def ask(run: Run, user_ids: Sequence[str], notes: dict[str, Any]) -> Asked:
    """The test queries of a run.

    Args:
        run: over the data.
        user_ids: [users] in the order of its sequences.
        notes: of the treatment of the data; empty for none.
    """
    prepared = run.prepared
    if notes.get("kind") == treatments.TFRS:
        asked, queries, user = held_out_queries(prepared, notes[SHIFT])
    elif notes.get("kind") == treatments.COLD_ITEMS:
        asked, queries = _with_whole_histories(run, user_ids, notes)
        user = queries.user
    else:
        queries = run.queries(behaviour.TEST)
        asked, user = prepared, queries.user
    sequences = prepared.sequences
    is_train = np.concatenate(
        [[0], np.cumsum(sequences.split == behaviour.TRAIN)]
    )
    item_ids = np.array(prepared.catalogue.item_ids)
    return Asked(asked, queries, {
        "user_id": np.array(user_ids)[user],
        "item_id": item_ids[queries.items],
        slices.ITEM_TRAIN_EVENTS: prepared.catalogue.counts[queries.items],
        slices.USER_TRAIN_EVENTS: np.diff(is_train[sequences.starts])[user],
        "made_cold": np.isin(
            item_ids[queries.items], np.array(notes.get("items", []), str)
        ),
    })


def _with_whole_histories(
    run: Run, user_ids: Sequence[str], notes: dict[str, Any]
) -> tuple[Prepared, Queries]:
    """The cold items' events, where users are asked for."""
    dataset = load_dataset(
        notes["source"], run.config.data,
        rejects_dir=run.job_dir / "rejects_of_source", now=int(time.time()),
    )
    return with_whole_histories(
        run.prepared,
        user_ids,
        prepare(dataset, run.config),
        dataset.events.user_ids,
        cold=notes["items"],
        exclude_seen=run.config.data.exclude_seen,
    )


def text_vectors(run: Run) -> np.ndarray | None:
    """[items, dim] of the frozen encoder; None where the encoder is tuned."""
    text = run.config.text
    if text.tunes_encoder:
        return None
    folder = Path(text.text_cache or run.job_dir / "text_cache")
    encoder = run.encoder
    cache = TextCache(
        folder, encoder.fingerprint(), encoder.dim, text.text_cache_precision
    )
    texts = run.prepared.catalogue.texts
    return cache.vectors(texts, encoder.encode_bulk)


def baseline_scorers(run: Run, queries: Queries) -> dict[str, Scorer]:
    """Every baseline by name."""
    scorers = baselines.all_scorers(queries, run.config.training.seed)
    if run.model.events:
        scorers |= baselines.recent_scorers(queries, run.model.events)
    vectors = text_vectors(run)
    if vectors is not None:
        scorers |= neighbours.text_scorers(queries, vectors)
    texts = run.prepared.catalogue.texts
    if neighbours.reads_as_cjk(texts):
        scorers |= neighbours.ngram_scorers(queries, texts)
    return scorers


def measure(
    run: Run, asked: Asked, *, has_baselines: bool, both_ways: bool
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Ranks all targets under all scorers.

    Args:
        run: whose model is fitted.
        asked: the test queries.
        has_baselines: whether baselines are ranked too.
        both_ways: whether every row comes with seen items removed as well.

    Returns:
        What the report of the run holds of it, and the arrays to save.
    """
    report: dict[str, Any] = {"rows": {}, "slices": {}}
    arrays = dict(asked.targets)

    def rank(name: str, scorer: Scorer) -> None:
        views = {name: asked.queries}
        if both_ways:
            views[name + SEEN_REMOVED] = dataclasses.replace(
                asked.queries, exclude_seen=True
            )
        for row, queries in views.items():
            ranking = evaluation.rank_targets(queries, scorer, row)
            report["rows"][row] = ranking.summary()
            report["slices"][row] = {
                each: summarise(ranking.ranks[slices.chosen(arrays, each)])
                for each in slices.NAMES
            }
            arrays[RANKS + row] = ranking.ranks

    with run.clock.stage("evaluate"):
        rank(MODEL, ModelScorer(run.model, asked.prepared, asked.queries))
        report["validation"] = _validation(run)
    report["peak_memory_mb"] = round(peak_memory_mb(), 1)
    if has_baselines:
        with run.clock.stage("baselines"):
            for name, scorer in baseline_scorers(run, asked.queries).items():
                rank(name, scorer)
    return report, arrays


def _validation(run: Run) -> dict[str, float]:
    """The model's summary on all validation targets."""
    queries = run.queries(behaviour.VALIDATION)
    scorer = ModelScorer(run.model, run.prepared, queries)
    return evaluation.rank_targets(queries, scorer, "validation").summary()
