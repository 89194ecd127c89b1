"""What the ScaNN twin of a bundle finds, and how fast both answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from serving.recommender import Recommender
from serving.signatures import RECOMMEND
from trainer.bundle_scorer import Request, Requests

_K = 10
_RECALL_QUERIES = 200
_TIMED_QUERIES = 100

Timings = dict[str, float]


def measure_index(
    exact_dir: Path,
    twin_dir: Path,
    requests: Requests,
    numbers: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Recall@10 of the twin against exact search, and latency of both.

    Args:
        exact_dir: version folder of the exact bundle.
        twin_dir: version folder of its twin.
        requests: turns query numbers into what a client sends.
        numbers: [queries] that may be asked, at least one; some are drawn.
        seed: of the draw.

    Returns:
        The `index` of `evaluation.json`; milliseconds are of one request at a
        time, in this process, the server's own part left out.
    """
    drawn = np.random.default_rng(seed).permutation(numbers)
    exact = Recommender(exact_dir, warm_up=False)
    twin = Recommender(twin_dir, warm_up=False)
    batch = _recommend_inputs(requests, drawn[:_RECALL_QUERIES])
    timed = [
        _recommend_inputs(requests, drawn[i : i + 1])
        for i in range(min(_TIMED_QUERIES, len(drawn)))
    ]
    return {
        f"recall@{_K}": _overlap(_answers(exact, batch), _answers(twin, batch)),
        "exact_ms": _milliseconds(exact, timed),
        "scann_ms": _milliseconds(twin, timed),
    }


def _recommend_inputs(requests: Requests, numbers: np.ndarray) -> Request:
    count = len(numbers)
    return {
        **requests(numbers),
        "exclude_item_ids": np.full((count, 0), "", object),
        "k": np.full(count, _K, np.int32),
    }


def _answers(recommender: Recommender, inputs: Request) -> np.ndarray:
    """[b, 10] ids, b"" where there is none."""
    return recommender.predict(RECOMMEND, inputs, ["item_ids"])["item_ids"]


def _overlap(exact: np.ndarray, found: np.ndarray) -> float:
    """Mean share of the exact answers that were found."""
    shares = []
    for wanted, got in zip(exact, found, strict=True):
        ids = set(wanted) - {b""}
        if ids:
            shares.append(len(ids & set(got)) / len(ids))
    return float(np.mean(shares))


def _milliseconds(recommender: Recommender, timed: list[Request]) -> Timings:
    for inputs in timed:  # shapes that are asked for the first time are slow
        _answers(recommender, inputs)
    taken = []
    for inputs in timed:
        started = time.perf_counter()
        _answers(recommender, inputs)
        taken.append(1e3 * (time.perf_counter() - started))
    return {
        "p50": round(float(np.percentile(taken, 50)), 3),
        "p95": round(float(np.percentile(taken, 95)), 3),
    }
