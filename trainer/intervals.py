"""How sure a mean over queries is, and how it grows with train events."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from trainer.evaluation import Queries, Ranking
from trainer.metrics import recall

Interval = tuple[float, float]
_RESAMPLES = 1_000
_BLOCK = 1 << 20  # drawn query numbers that are held at once
_TAIL = 2.5  # percent on either side of a 95 % interval
_COLD_BOUNDS = (0, 1, 2, 4, 8, 16, 32)  # train events at which a bin begins


def bootstrap(
    values: Mapping[str, np.ndarray],
    *,
    seed: int,
    resamples: int = _RESAMPLES,
) -> dict[str, Interval]:
    """Percentile-bootstrap 95 % intervals of means over queries.

    Each resample draws as many queries as there are, with replacement (Efron
    & Tibshirani 1993, chapter 13); all metrics see the same draws. Only the
    counts of a few resamples are held at a time, so 100,000 queries need a
    few megabytes.

    Args:
        values: [queries] by metric, at least one query.
        seed: of the draws.
        resamples: means that the percentiles are taken of.

    Returns:
        Lower and upper end by metric.
    """
    table = np.stack(list(values.values()), axis=1)  # [queries, metrics]
    queries = len(table)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, table.shape[1]))
    block = max(1, _BLOCK // queries)
    for at in range(0, resamples, block):
        rows = min(block, resamples - at)
        drawn = generator.integers(queries, size=(rows, queries))
        drawn += np.arange(rows)[:, None] * queries
        counts = np.bincount(drawn.ravel(), minlength=rows * queries)
        means[at : at + rows] = counts.reshape(rows, queries) @ table / queries
    low, high = np.percentile(means, [_TAIL, 100 - _TAIL], axis=0)
    return {
        name: (float(low[i]), float(high[i])) for i, name in enumerate(values)
    }


def with_intervals(
    values: Mapping[str, np.ndarray], *, seed: int
) -> dict[str, dict[str, float | None]]:
    """Value, low and high of each mean over queries.

    Args:
        values: [queries] by metric; nothing is said of no queries.
        seed: of the bootstrap.
    """
    if not len(next(iter(values.values()))):
        return {}
    ends = bootstrap(values, seed=seed)
    return {
        name: {"value": float(v.mean()), "low": low, "high": high}
        for (name, v), (low, high) in zip(
            values.items(), ends.values(), strict=True
        )
    }


def cold_curve(
    queries: Queries, ranking: Ranking, *, seed: int
) -> list[dict[str, float | int | str]]:
    """Recall@10 by how many train events the target has, coldest first.

    Returns:
        One entry per bin that has a query: `train_events` as words, its
        queries, recall@10 and the ends of its interval.
    """
    events = queries.train_counts[queries.items]
    hits = recall(ranking.ranks, 10)
    bins = np.searchsorted(_COLD_BOUNDS, events, side="right") - 1
    curve: list[dict[str, float | int | str]] = []
    for place, name in enumerate(_bin_names()):
        chosen = hits[bins == place]
        if not len(chosen):
            continue
        low, high = bootstrap({"": chosen}, seed=seed)[""]
        curve.append(
            {
                "train_events": name,
                "queries": len(chosen),
                "recall@10": float(chosen.mean()),
                "low": low,
                "high": high,
            }
        )
    return curve


def _bin_names() -> list[str]:
    ends = [bound - 1 for bound in _COLD_BOUNDS[1:]]
    names = [
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(_COLD_BOUNDS, ends, strict=False)
    ]
    return [*names, f"{_COLD_BOUNDS[-1]}+"]
