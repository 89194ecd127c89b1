"""How ScaNN searches a catalogue: plans to choose from, and its index."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.fields import Array

# Up to here scoring everything takes ScaNN well under a millisecond.
_BRUTE_FORCE_ITEMS = 20_000
# Three times the greatest k that plans are tuned for.
_REORDERED = 300
# Of points that anisotropic quantization favours; ScaNN's documented choice.
_ANISOTROPIC_THRESHOLD = 0.2
# 16 values of each dimension. Two a block, ScaNN's usual choice, need half
# the memory, and more than three times as many to reorder for a recall of .99
# (benchmarks/README.md, "Search").
_DIMENSIONS_PER_BLOCK = 1
# Of the square root of the catalogue: smaller leaves hold less that is far.
_LEAVES = 2
_LEAVES_SEARCHED = (
    0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0
)
_MAX_TRAINING_POINTS = 250_000


@dataclasses.dataclass(frozen=True)
class Plan:
    """How ScaNN searches.

    Attributes:
        leaves: partitions of the catalogue, 0 for brute force.
        leaves_searched: partitions looked into; more is slower and finds more.
        reordered: candidates scored exactly before the best are taken.
    """

    leaves: int = 0
    leaves_searched: int = 0
    reordered: int = 0


def candidates(num_items: int) -> list[Plan]:
    """Plans for a catalogue, fastest first; the last one misses nothing."""
    if num_items <= _BRUTE_FORCE_ITEMS:
        return [Plan()]
    leaves = round(_LEAVES * math.sqrt(num_items))
    trees = [
        Plan(leaves, max(1, round(leaves * share)), _REORDERED)
        for share in _LEAVES_SEARCHED
    ]
    return [*trees, Plan()]


def built(vectors: Array, plan: Plan) -> Any:
    """ScaNN's searcher of [n, d] float32 vectors by their products."""
    from scann import scann_ops

    num_items = len(vectors)
    builder = scann_ops.builder(vectors, 10, "dot_product")
    if not plan.leaves:
        return builder.score_brute_force().build()
    return (
        builder.tree(
            num_leaves=plan.leaves,
            num_leaves_to_search=plan.leaves_searched,
            training_sample_size=min(num_items, _MAX_TRAINING_POINTS),
        )
        .score_ah(
            _DIMENSIONS_PER_BLOCK,
            anisotropic_quantization_threshold=_ANISOTROPIC_THRESHOLD,
        )
        .reorder(plan.reordered)
        .build()
    )
