"""How often a near-duplicate of the chosen item stands among its negatives.

Retrieval training scores the chosen item against others and pushes those
away. One that reads the same is pushed away wrongly, and pulls its twin along.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True)
class FalseNegatives:
    """Expected false negatives of one choice.

    Attributes:
        batch_events: choices of a training step.
        in_batch: near-duplicates among the step's other items.
        in_batch_share: of those items, how many are near-duplicates.
        choices_hit: share of choices with one near-duplicate at least.
        full_softmax: near-duplicates among all items that have events.
        full_softmax_share: of those items, how many are near-duplicates.
    """

    batch_events: int
    in_batch: float
    in_batch_share: float
    choices_hit: float
    full_softmax: float
    full_softmax_share: float


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def expect_false_negatives(
    counts: np.ndarray, groups: Iterable[Iterable[int]], batch_events: int
) -> FalseNegatives:
    """Works the expectation out; nothing is drawn.

    Choices are drawn one by one, an item as often as it has events. The
    negatives of a choice are the distinct other items of the same step: item j
    is one with probability 1 - (1 - p_j)^(batch_events - 1).

    Args:
        counts: [items] events of each; all zero counts as all alike.
        groups: rows of near-duplicates; the groups have no row in common.
        batch_events: choices of a step, 2 at least.
    """
    weights = counts if counts.any() else np.ones(len(counts))
    chance = weights / max(weights.sum(), 1)
    others = batch_events - 1
    present = -np.expm1(others * np.log1p(-np.minimum(chance, 1 - 1e-12)))
    is_used = weights > 0
    in_batch = hit = in_full = 0.0
    for rows in groups:
        of_group = np.array(list(rows))
        p, q = chance[of_group], present[of_group]
        in_batch += float(p.sum() * q.sum() - p @ q)
        hit += float(p @ (1 - (1 - (p.sum() - p)) ** others))
        in_full += float(p.sum() * (is_used[of_group].sum() - 1))
    negatives = float(present.sum() - chance @ present)
    return FalseNegatives(
        batch_events,
        in_batch,
        _share(in_batch, negatives),
        hit,
        in_full,
        _share(in_full, float(is_used.sum() - 1)),
    )
