"""Several seeds as one figure: mean, spread, and an interval over users."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

_RESAMPLES = 1_000
_BLOCK = 1 << 20  # drawn user numbers that are held at once
_TAIL = 2.5  # percent on either side of a 95 % interval


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A metric over seeds.

    Attributes:
        mean: of the runs' means over queries.
        spread: sample standard deviation of them; None for one run.
        low, high: ends of the 95 % interval over users.
    """

    mean: float
    spread: float | None
    low: float
    high: float


def pool(
    users: Sequence[np.ndarray], values: Sequence[np.ndarray], *, seed: int = 0
) -> Estimate:
    """One metric of several runs.

    A user's values are first averaged over runs, then users are drawn with
    replacement (Efron & Tibshirani 1993, chapter 13); a user with several
    queries brings all of them, so that their likeness widens the interval.

    Args:
        users: per run, [queries] ids of the users.
        values: per run, [queries] values of the metric; at least one.
        seed: of the draws.
    """
    means = [float(each.mean()) for each in values]
    spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
    ids, user = np.unique(np.concatenate(users), return_inverse=True)
    total = np.bincount(user, np.concatenate(values), len(ids)) / len(means)
    count = np.bincount(user, minlength=len(ids)) / len(means)
    low, high = bootstrap_ratio(total, count, seed=seed)
    return Estimate(float(np.mean(means)), spread, low, high)


def bootstrap_ratio(
    total: np.ndarray, count: np.ndarray, *, seed: int
) -> tuple[float, float]:
    """Percentile-bootstrap 95 % interval of sum(total) / sum(count).

    Args:
        total, count: [users] sum of a user's values, and how many they are.
        seed: of the draws.
    """
    table = np.stack([total, count], axis=1)
    times = _times_drawn(len(total), seed)
    rows = max(1, _BLOCK // len(total))
    sums = np.concatenate([
        times[at : at + rows] @ table for at in range(0, len(times), rows)
    ])
    ratios = sums[:, 0] / sums[:, 1]
    low, high = np.percentile(ratios, [_TAIL, 100 - _TAIL])
    return float(low), float(high)


# All rows of a table are about the same users: one draw serves them.
@functools.lru_cache(maxsize=2)
def _times_drawn(users: int, seed: int) -> np.ndarray:
    """[resamples, users] uint8, how often a resample has drawn each user.

    The draws of `trainer.intervals.bootstrap` under the same seed. 255 draws
    of one user would be a chance of 1 in 10**500.
    """
    generator = np.random.default_rng(seed)
    times = np.empty((_RESAMPLES, users), np.uint8)
    block = max(1, _BLOCK // users)
    for at in range(0, _RESAMPLES, block):
        rows = min(block, _RESAMPLES - at)
        drawn = generator.integers(users, size=(rows, users))
        drawn += np.arange(rows)[:, None] * users
        counts = np.bincount(drawn.ravel(), minlength=rows * users)
        times[at : at + rows] = counts.reshape(rows, users)
    return times
