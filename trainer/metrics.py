"""Ranking metrics, each a short function of ranks or of lists.

A rank is the place of the target in the full ranking, 1 for the first; ties
count against the model, and a target that may not be recommended has the rank
`UNREACHABLE`. There is one target per query, so recall@k equals hit_rate@k.
"""

from __future__ import annotations

import numpy as np

UNREACHABLE = np.iinfo(np.int64).max


def target_ranks(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Places of the targets among all candidates, ties against them.

    Args:
        scores: [queries, candidates]; minus infinity where excluded.
        targets: [queries] int column of the target.

    Returns:
        [queries] int64; UNREACHABLE where the target itself is excluded.
    """
    own = scores[np.arange(len(targets)), targets]
    # "Not below" and not "above or equal": a score that is no number counts
    # against the model too, else NaN would rank its target before the first.
    below = scores < own[:, None]
    # Row by row: twice as fast as a sum of bool over an axis.
    counts = [np.count_nonzero(row) for row in below]
    ranks = scores.shape[1] - np.array(counts, np.int64)
    return np.where(np.isneginf(own), UNREACHABLE, ranks)


def recall(ranks: np.ndarray, k: int) -> np.ndarray:
    """[queries] 1 where the target is among the first k, else 0."""
    return (ranks <= k).astype(np.float64)


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """[queries] 1 / log2(1 + rank) within the first k (one target: IDCG 1)."""
    return np.where(ranks <= k, 1.0 / np.log2(1.0 + ranks), 0.0)


def mrr(ranks: np.ndarray, k: int) -> np.ndarray:
    """[queries] 1 / rank within the first k, else 0."""
    return np.where(ranks <= k, 1.0 / ranks, 0.0)


def coverage(lists: np.ndarray, num_items: int) -> float:
    """Share of the catalogue that occurs in any list.

    Args:
        lists: [queries, k] int item codes, -1 for none.
        num_items: size of the catalogue.
    """
    shown = np.unique(lists)
    return float((shown >= 0).sum() / max(1, num_items))


def gini(lists: np.ndarray, num_items: int) -> float:
    """How unevenly items are recommended: 0 all alike, towards 1 few only.

    Half the relative mean difference of the items' shares of all places,
    items that are never shown included (Gini 1912, by sorted counts).

    Args:
        lists: [queries, k] int item codes, -1 for none.
        num_items: size of the catalogue.

    Returns:
        At most 1 - 1 / num_items; 0 where nothing is recommended.

    Example:
        >>> gini(np.array([[0], [0]]), num_items=4)
        0.75
    """
    shown = lists[lists >= 0]
    if not len(shown):
        return 0.0
    counts = np.sort(np.bincount(shown, minlength=num_items))
    weights = 2 * np.arange(1, num_items + 1) - num_items - 1
    return float(weights @ counts / (num_items * counts.sum()))


def self_information(train_counts: np.ndarray) -> np.ndarray:
    """[items] bits, -log2 of an item's share of the train events.

    One event is added to every item, so that an item without any is finite.
    """
    counts = train_counts + 1.0
    return -np.log2(counts / counts.sum())


def novelty(lists: np.ndarray, information: np.ndarray) -> np.ndarray:
    """Mean self-information of the items of each list, in bits.

    The popularity-based novelty of Zhou et al. 2010 (PNAS 107:4511) and
    Vargas & Castells 2011 (RecSys): what few have chosen tells more.

    Args:
        lists: [queries, k] int item codes, -1 for none.
        information: [items] as `self_information` gives it.

    Returns:
        [queries] float64; 0 for an empty list.
    """
    is_item = lists >= 0
    bits = np.where(is_item, information[np.maximum(lists, 0)], 0.0)
    return bits.sum(axis=1) / np.maximum(is_item.sum(axis=1), 1)


def list_ranks(lists: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """[queries] places of the targets in lists; UNREACHABLE where not there.

    Args:
        lists: [queries, k] int item codes, best first, -1 for none.
        targets: [queries] int item codes.
    """
    is_target = lists == targets[:, None]
    place = is_target.argmax(axis=1) + 1
    return np.where(is_target.any(axis=1), place, UNREACHABLE)


def intra_list_distance(lists: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Mean of 1 - cosine over the pairs of each list.

    Smyth & McClave 2001 (ICCBR); Ziegler et al. 2005 (WWW) sum similarities.

    Args:
        lists: [queries, k] int item codes, -1 for none.
        vectors: [items, d] unit length.

    Returns:
        [queries] float64; 0 for lists of fewer than two items.
    """
    is_item = lists >= 0
    listed = np.where(is_item[..., None], vectors[np.maximum(lists, 0)], 0.0)
    number = is_item.sum(axis=1)
    # Of all ordered pairs, without each item and itself.
    cosines = (listed.sum(axis=1) ** 2).sum(axis=1) - number
    pairs = np.maximum(number * (number - 1), 1)
    return np.where(number > 1, 1 - cosines / pairs, 0.0)


def rmse(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Root of the mean squared error, in the unit of the labels."""
    return float(np.sqrt(np.mean((predictions - labels) ** 2)))


def auc(predictions: np.ndarray, is_positive: np.ndarray) -> float:
    """Chance that a positive is scored above a negative, ties half.

    The rank-sum form of Mann and Whitney (1947).

    Returns:
        NaN where there are no positives or no negatives.
    """
    _, codes, counts = np.unique(
        predictions, return_inverse=True, return_counts=True
    )
    below = np.cumsum(counts) - counts
    mid_rank = below + (counts + 1) / 2  # of each distinct prediction
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return float("nan")
    rank_sum = mid_rank[codes][is_positive].sum()
    u = rank_sum - positives * (positives + 1) / 2
    return float(u / (positives * negatives))


def per_query(ranks: np.ndarray) -> dict[str, np.ndarray]:
    """[queries] values of the rank metrics that every report shows."""
    return {
        "recall@5": recall(ranks, 5),
        "recall@10": recall(ranks, 10),
        "recall@100": recall(ranks, 100),
        "ndcg@5": ndcg(ranks, 5),
        "ndcg@10": ndcg(ranks, 10),
        "mrr@10": mrr(ranks, 10),
    }


def summarise(ranks: np.ndarray) -> dict[str, float]:
    """Means over queries of `per_query`."""
    if not len(ranks):
        return {"queries": 0}
    means = {k: float(v.mean()) for k, v in per_query(ranks).items()}
    return {**means, "queries": len(ranks)}
