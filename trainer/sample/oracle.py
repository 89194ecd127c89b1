"""Known answers of a sample: what the best possible model would recommend.

The target of a user is the last event, the history all before it; items of
the history are left out, as in evaluation. Recommendations are item ids, best
first, by user id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.sample.config import Array
from trainer.sample.events import COLD_TARGET_SHARE

if TYPE_CHECKING:
    from trainer.sample.logs import Sample

Recommendations = dict[str, list[str]]


def histories(sample: Sample) -> dict[str, list[str]]:
    """All items of each user, oldest first; the last one is the target."""
    log, ids = sample.log, sample.world.catalogue.ids
    found: dict[str, list[str]] = {user: [] for user in sample.world.people.ids}
    for user, item in zip(log.user.tolist(), log.item.tolist(), strict=True):
        found[sample.world.people.ids[user]].append(ids[item])
    return found


def _top_k(sample: Sample, scores: Array, seen: Array, k: int) -> list[str]:
    scores = scores.astype(float)
    scores[seen] = -np.inf
    best = np.argsort(-scores, kind="stable")[:k]
    ids = sample.world.catalogue.ids
    return [ids[c] for c in best.tolist() if scores[c] > -np.inf]


def true_probabilities(sample: Sample, row: int, seen: Array) -> Array:
    """How likely a user's last event is on each item.

    Args:
        sample: the sample.
        row: of the last event in `sample.log`.
        seen: codes of the items that the user has had before.

    Returns:
        [items] float, 0 for seen ones; the sum is 1 where every topic has an
        item that the user has not seen.
    """
    world, log, focus = sample.world, sample.log, sample.config.focus
    catalogue, people, user = world.catalogue, world.people, log.user[row]
    tilted = people.taste[user] * world.scenarios.favour[log.scenario[row]]
    of_topic = (1 - focus) * tilted / tilted.sum()
    of_topic[people.short_term[user]] += focus
    weight = catalogue.weight.copy()
    weight[seen] = 0
    is_late = log.timestamp[row] > sample.cold_from
    share = COLD_TARGET_SHARE if is_late and not people.is_cold[user] else 0.0
    parts = [(1 - share, weight), (share, catalogue.is_cold.astype(float))]
    probability = np.zeros(len(weight))
    for part, weights in parts:
        mass = np.bincount(catalogue.topic, weights).clip(1e-12)
        probability += part * (of_topic / mass)[catalogue.topic] * weights
    return probability


def _targets(sample: Sample) -> list[tuple[str, int, Array]]:
    """User id, row of the last event and codes of the history, per user."""
    log = sample.log
    order = np.lexsort((log.position, log.user))
    ends = np.flatnonzero(log.is_last[order])
    found = []
    start = 0
    for end in ends.tolist():
        row = int(order[end])
        seen = log.item[order[start:end]]
        found.append((sample.world.people.ids[log.user[row]], row, seen))
        start = end + 1
    return found


def oracle_top_k(sample: Sample, k: int) -> Recommendations:
    """The best k items for each user's last event, knowing the whole truth."""
    return {
        user: _top_k(sample, true_probabilities(sample, row, seen), seen, k)
        for user, row, seen in _targets(sample)
    }


def popularity_top_k(sample: Sample, k: int) -> Recommendations:
    """The k items with most events in histories, the same for all users."""
    log = sample.log
    counts = np.bincount(
        log.item[~log.is_last], minlength=len(sample.world.catalogue.ids)
    )
    return {
        user: _top_k(sample, counts, seen, k)
        for user, _, seen in _targets(sample)
    }


def recall(sample: Sample, recommended: Recommendations) -> float:
    """The share of the users asked for whose target is recommended."""
    targets = {user: items[-1] for user, items in histories(sample).items()}
    hits = [targets[user] in items for user, items in recommended.items()]
    return float(np.mean(hits))


def topic_hit_rate(sample: Sample, recommended: Recommendations) -> float:
    """The mean share of recommendations on the topic of the user's target.

    Chance is about one over the number of topics.
    """
    topic = sample.item_topics()
    targets = {user: items[-1] for user, items in histories(sample).items()}
    shares = [
        np.mean([topic[item] == topic[targets[user]] for item in items])
        for user, items in recommended.items()
        if items
    ]
    return float(np.mean(shares)) if shares else 0.0
