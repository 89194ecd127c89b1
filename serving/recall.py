"""Chooses how ScaNN searches a catalogue: the fastest plan that finds enough.

Two sets of queries that share none: one chooses, the other tells what the
choice finds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from serving import plans
from serving.admission import NO_ROW, Admission
from serving.plans import Plan
from serving.search import ScannSearch

if TYPE_CHECKING:
    from serving.fields import Array

WANTED_RECALL = 0.98
_RECALL_AT = (10, 100)
_CHOOSING, _HELD_OUT = 200, 200
# Scored at a time: a score of each item, several times over, is memory.
_EXACT_QUERIES = 20
_ITEMS_PER_QUERY = 3  # a query lies between items, as a user's does
# Of the mean over the choosing queries: what is chosen must find enough for
# other queries too.
_STANDARD_ERRORS = 2.0


@dataclasses.dataclass(frozen=True)
class Recall:
    """Share of the exact best k that is found, over some queries.

    Attributes:
        k: answers of a query.
        mean: over the queries.
        error: standard error of the mean.
    """

    k: int
    mean: float
    error: float


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A search, and what it finds.

    Attributes:
        search: with its plan.
        wanted: the recall that it was tuned to.
        held_out: recalls over queries that had no part in the choice.
    """

    search: ScannSearch
    wanted: float
    held_out: Sequence[Recall]

    def described(self) -> dict[str, Any]:
        """For the manifest."""
        plan = self.search.plan
        return {
            "search": "scann tree" if plan.leaves else "scann brute force",
            **dataclasses.asdict(plan),
            "wanted_recall": self.wanted,
            **{f"recall@{r.k}": round(r.mean, 4) for r in self.held_out},
            "recall_of": f"{_HELD_OUT} queries, each the mean of "
            f"{_ITEMS_PER_QUERY} random item vectors, against exact search; "
            f"{_CHOOSING} others chose the plan",
        }


def tuned(shelf: Any, wanted: float = WANTED_RECALL) -> Tuned:
    """The fastest plan with the wanted recall.

    Args:
        shelf: the catalogue.
        wanted: recall in (0, 1], at 10 and at 100.
    """
    vectors = shelf.vectors.numpy()
    choosing, held_out = queries(vectors)
    offered = plans.candidates(len(vectors))
    chosen = ScannSearch(shelf, offered[0])
    best = best_rows(chosen.exact, choosing)
    for plan in offered:
        chosen = _with_plan(chosen, plan)
        # Each of them: a leaf with fewer items than are asked for is searched
        # exactly, so a poor plan can do well at 100 and badly at 10.
        if all(
            recall.mean - _STANDARD_ERRORS * recall.error >= wanted
            for recall in recalls(chosen, choosing, best)
        ):
            break
    best = best_rows(chosen.exact, held_out)
    return Tuned(chosen, wanted, recalls(chosen, held_out, best))


def _with_plan(chosen: ScannSearch, plan: Plan) -> ScannSearch:
    if plan.leaves != chosen.plan.leaves:
        return ScannSearch(chosen.exact.shelf, plan)
    chosen.plan = plan
    return chosen


def queries(vectors: Array) -> tuple[Array, Array]:
    """[200, d] queries that choose, and as many that do not.

    No item takes part in queries of both.
    """
    generator = np.random.default_rng(0)
    order = generator.permutation(len(vectors))
    middle = len(order) // 2
    halves = (order[:middle], order[middle:])
    choosing, held_out = (
        vectors[generator.choice(half, (number, _ITEMS_PER_QUERY))].mean(1)
        for half, number in zip(halves, (_CHOOSING, _HELD_OUT), strict=True)
    )
    return choosing, held_out


def best_rows(exact: Any, asked: Array) -> Array:
    """[q, K] int32, the rows of the greatest scores, best first.

    Args:
        exact: an `ExactSearch`.
        asked: [q, d] queries.

    Returns:
        As many columns as recall is told of, or as the catalogue has.
    """
    blocks = []
    for start in range(0, len(asked), _EXACT_QUERIES):
        block = asked[start : start + _EXACT_QUERIES]
        wanted = tf.fill([len(block)], max(_RECALL_AT))
        blocks.append(exact(block, _nothing(len(block)), wanted)[0].numpy())
    return np.concatenate(blocks)


def recalls(searching: Any, asked: Array, best: Array) -> list[Recall]:
    """What a search finds of the exact best, for each k.

    Args:
        searching: a `ScannSearch`.
        asked: [q, d] queries.
        best: [q, K] of `best_rows`.
    """
    found = []
    for k in _RECALL_AT:
        wanted = tf.fill([len(asked)], k)
        answers = searching(asked, _nothing(len(asked)), wanted)[0].numpy()
        pairs = zip(best[:, :k], answers, strict=True)
        shares = [_share(set(e) - {NO_ROW}, set(a)) for e, a in pairs]
        error = np.std(shares, ddof=1) / len(shares) ** 0.5
        found.append(Recall(k, float(np.mean(shares)), float(error)))
    return found


def _nothing(requests: int) -> Admission:
    """Rules that bar no item."""
    return Admission.excluding(tf.zeros([requests, 0], tf.int32))


def _share(wanted: set[int], found: set[int]) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0
