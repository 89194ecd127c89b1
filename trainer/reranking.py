"""Whether the ranking head improves the list that retrieval has found.

The head learns how a user likes what they choose, not what they choose, so
this is a question and no foregone conclusion.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from tqdm import tqdm

from trainer.batches import in_order
from trainer.evaluation import Queries
from trainer.metrics import UNREACHABLE, ndcg, summarise, target_ranks
from trainer.scoring import ModelScorer
from trainer.top_lists import top_lists

DEPTH = 100  # items of a list that are ordered anew
# Of the head beside retrieval's cosine; the head's unit is the label's range.
WEIGHTS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Shortlists:
    """The best items of each query, in retrieval's order.

    Attributes:
        retrieval: [queries, depth] float32 scores, minus infinity beyond what
            may be recommended.
        head: [queries, depth] float32 scaled labels that the head predicts.
        is_target: [queries, depth] bool, at most one a row.
        is_high: [queries] bool, whether the target's label is a high one.
    """

    retrieval: np.ndarray
    head: np.ndarray
    is_target: np.ndarray
    is_high: np.ndarray

    def ranks(self, scores: np.ndarray) -> np.ndarray:
        """Places of the targets once the lists are ordered by `scores`.

        Args:
            scores: [queries, depth].

        Returns:
            [queries] int64, ties against the target; UNREACHABLE where it is
            not in the list.
        """
        scores = np.where(np.isneginf(self.retrieval), -np.inf, scores)
        ranks = target_ranks(scores, self.is_target.argmax(axis=1))
        return np.where(self.is_target.any(axis=1), ranks, UNREACHABLE)

    def blended(self, weight: float) -> np.ndarray:
        """[queries] places by retrieval + weight * head."""
        return self.ranks(self.retrieval + weight * self.head)


def shortlists(
    scorer: ModelScorer, queries: Queries, is_high: np.ndarray, name: str
) -> Shortlists:
    """Retrieves, and asks the head about what was found.

    Args:
        scorer: of `queries`.
        queries: what is asked.
        is_high: [queries] bool.
        name: what the progress bar says.
    """
    depth = min(DEPTH, queries.num_items)
    shape = (len(queries), depth)
    lists = Shortlists(
        np.empty(shape, np.float32), np.empty(shape, np.float32),
        np.empty(shape, bool), is_high,
    )
    # Queries of like history length share a batch: little padding.
    by_length = np.argsort(queries.history_lengths, kind="stable")
    parts = [by_length[part] for part in in_order(len(queries), _BATCH)]
    for numbers in tqdm(
        parts, desc=name, unit="batch", leave=False, mininterval=1.0
    ):
        embedded = scorer.embed(numbers)
        scores = scorer.scores_of(numbers, embedded)
        queries.exclude(scores, numbers)
        items = top_lists(scores, depth)  # -1 beyond what is admissible
        kept = np.take_along_axis(scores, np.maximum(items, 0), axis=1)
        lists.retrieval[numbers] = np.where(items < 0, -np.inf, kept)
        lists.head[numbers] = scorer.predictions(
            numbers, embedded, np.maximum(items, 0)
        )
        lists.is_target[numbers] = items == queries.items[numbers][:, None]
    return lists


def compare(validation: Shortlists, test: Shortlists) -> dict[str, Any]:
    """Test metrics of the lists as found, and as ordered anew.

    Returns:
        `depth`, and for `all` queries and for those whose target has a `high`
        label: metrics of the order by `retrieval`, by the `head` alone and by
        the `blend` retrieval + weight * head, and the `weight`, of `WEIGHTS`
        the one with the best NDCG@10 on the same group of the validation
        queries (the least such; 0 without any).
    """
    report: dict[str, Any] = {"depth": test.retrieval.shape[1]}
    for name, known, asked in (
        ("all", np.ones(len(validation.is_high), bool), slice(None)),
        ("high", validation.is_high, test.is_high),
    ):
        weight = _best_weight(validation, known)
        report[name] = {
            "weight": weight,
            "retrieval": summarise(test.ranks(test.retrieval)[asked]),
            "head": summarise(test.ranks(test.head)[asked]),
            "blend": summarise(test.blended(weight)[asked]),
        }
    return report


def _best_weight(lists: Shortlists, chosen: np.ndarray) -> float:
    if not chosen.any():
        return 0.0
    quality = [
        ndcg(lists.blended(weight)[chosen], 10).mean() for weight in WEIGHTS
    ]
    return WEIGHTS[int(np.argmax(quality))]
