"""Items made cold: found or not, and what their loss costs the others."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from benchmarks.quality.cells import NOTHING, estimate_cell, number, table
from benchmarks.quality.ladder import COLD
from benchmarks.quality.results import Result
from benchmarks.quality.rows import Metric, Row, rows_of
from trainer.metrics import ndcg, recall

_METRICS: dict[str, Metric] = {
    "recall@10": functools.partial(recall, k=10),
    "ndcg@10": functools.partial(ndcg, k=10),
}


def cold_table(
    data: str, treated: Sequence[Result], plain: Sequence[Result]
) -> str:
    """Targets made cold, all other targets, and these before the removal.

    Args:
        data: name of the data set.
        treated: runs without the events of the drawn items.
        plain: runs on all events; those of the same seed are compared.
    """
    before = {(row.label, row.key): row for row in rows_of(plain)}
    warm = _warm_targets(treated)
    lines = [
        [
            f"{one.name} [{one.source}]", NOTHING, number(one.recall),
            number(one.ndcg), *[NOTHING] * 6,
        ]
        for one in COLD.get(data, [])
    ]
    lines += [
        _line(row, before.get((row.label, row.key)), warm)
        for row in rows_of(treated)
    ]
    header = [
        "", "seeds",
        *(f"cold: {name}" for name in _METRICS),
        *(f"warm: {name}" for name in _METRICS),
        *(f"warm before: {name}" for name in _METRICS),
        *(f"ratio: {name}" for name in _METRICS),
    ]
    return table(header, lines)


def _line(row: Row, before: Row | None, warm: dict[int, set[str]]) -> list[str]:
    cold = [row.estimate(m, _is_cold) for m in _METRICS.values()]
    after = [row.estimate(m, _is_warm) for m in _METRICS.values()]
    line = [row.label, str(len(row.runs)), *map(estimate_cell, (*cold, *after))]
    shared = {run.job.seed for run in row.runs}
    runs = [] if before is None else before.runs
    same = tuple(run for run in runs if run.job.seed in shared)
    if before is None or len(same) < len(row.runs):
        return line + [NOTHING] * 4

    def was_warm(run: Result) -> np.ndarray:
        return np.isin(_names(run), list(warm[run.job.seed]))

    then = [
        Row(row.label, row.key, same).estimate(m, was_warm)
        for m in _METRICS.values()
    ]
    ratios = [
        number(a.mean / b.mean) if a and b and b.mean else NOTHING
        for a, b in zip(after, then, strict=True)
    ]
    return [*line, *map(estimate_cell, then), *ratios]


def _warm_targets(treated: Sequence[Result]) -> dict[int, set[str]]:
    """By seed, the targets that are on no item made cold."""
    return {
        run.job.seed: set(_names(run)[_is_warm(run)].tolist())
        for run in treated
    }


def _names(run: Result) -> np.ndarray:
    """[queries] user and item of each target."""
    user, item = run.arrays["user_id"], run.arrays["item_id"]
    return np.char.add(np.char.add(user, "\t"), item)


def _is_cold(run: Result) -> np.ndarray:
    return run.arrays["made_cold"]


def _is_warm(run: Result) -> np.ndarray:
    return ~run.arrays["made_cold"]
