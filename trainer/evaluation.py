"""Full-catalogue evaluation: every target ranked among all items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm

from trainer.batches import in_order
from trainer.behaviour import TRAIN, Sequences
from trainer.metrics import (
    coverage,
    gini,
    novelty,
    per_query,
    self_information,
    summarise,
    target_ranks,
)
from trainer.top_lists import top_lists

# Query numbers -> their scores [queries, items]; higher is better.
Scorer = Callable[[np.ndarray], np.ndarray]
_BATCH = 256
_LIST = 10  # length of the lists that coverage, gini and novelty look at


@dataclasses.dataclass(frozen=True)
class Queries:
    """Point-in-time queries: a target and all that stands before it.

    Attributes:
        sequences: all events.
        targets: [queries] int64 row of the target in `sequences`.
        user: [queries] int32.
        num_items: size of the catalogue.
        exclude_seen: whether items before the target may not be recommended.
    """

    sequences: Sequences
    targets: np.ndarray
    user: np.ndarray
    num_items: int
    exclude_seen: bool

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def items(self) -> np.ndarray:
        """[queries] int32 item codes of the targets."""
        return self.sequences.item[self.targets]

    @property
    def moments(self) -> np.ndarray:
        """[queries] int64 unix seconds, when each is asked."""
        return self.sequences.timestamp[self.targets]

    @property
    def train_counts(self) -> np.ndarray:
        """[items] int64 train events of each item."""
        trained = self.sequences.item[self.sequences.split == TRAIN]
        return np.bincount(trained, minlength=self.num_items)

    @property
    def history_lengths(self) -> np.ndarray:
        """[queries] int64 events before the target."""
        return self.targets - self.sequences.starts[self.user]

    def seen(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Items before the targets of [b] query numbers.

        Returns:
            [events] place in `numbers` and [events] int32 item code of each.
        """
        lengths = self.history_lengths[numbers]
        row = np.repeat(np.arange(len(numbers)), lengths)
        first = self.sequences.starts[self.user[numbers]]
        offset = np.arange(lengths.sum()) - np.repeat(
            np.cumsum(lengths) - lengths, lengths
        )
        return row, self.sequences.item[np.repeat(first, lengths) + offset]

    def exclude(self, scores: np.ndarray, numbers: np.ndarray) -> None:
        """Sets seen items' scores to minus infinity, in place.

        Args:
            scores: [b, items] of the queries in `numbers`.
            numbers: [b] query numbers.
        """
        if self.exclude_seen:
            scores[self.seen(numbers)] = -np.inf


def build_queries(
    sequences: Sequences,
    targets: np.ndarray,
    *,
    num_items: int,
    exclude_seen: bool,
) -> Queries:
    """Queries for the target rows of a split."""
    user = np.searchsorted(sequences.starts, targets, "right") - 1
    return Queries(
        sequences, targets, user.astype(np.int32), num_items, exclude_seen
    )


@dataclasses.dataclass(frozen=True)
class Ranking:
    """What an evaluation found.

    Attributes:
        ranks: [queries] int64 place of each target.
        lists: [queries, 10] int64 items, best first, -1 for none; narrower
            where the catalogue is.
        novelty: [queries] mean self-information of each list, in bits.
        coverage: share of the catalogue in all top-10 lists.
        gini: inequality of how often items stand in them.
    """

    ranks: np.ndarray
    lists: np.ndarray
    novelty: np.ndarray
    coverage: float
    gini: float

    def per_query(self) -> dict[str, np.ndarray]:
        """[queries] values of the metrics that are means over queries."""
        return {**per_query(self.ranks), "novelty@10": self.novelty}

    def summary(self) -> dict[str, float]:
        """All metrics by name."""
        return {
            **summarise(self.ranks),
            "novelty@10": float(self.novelty.sum() / max(1, len(self.ranks))),
            "coverage@10": self.coverage,
            "gini@10": self.gini,
        }


def rank_targets(queries: Queries, scorer: Scorer, name: str) -> Ranking:
    """Ranks each query's target among the whole catalogue.

    Args:
        queries: what is asked.
        scorer: query numbers [b] -> scores [b, items].
        name: what the progress bar says.

    Raises:
        ValueError: if the scorer's answer is not one row per query.
    """
    ranks = np.empty(len(queries), np.int64)
    width = min(_LIST, queries.num_items)
    lists = np.full((len(queries), width), -1, np.int64)
    # Queries of like history length share a batch: little padding.
    by_length = np.argsort(queries.history_lengths, kind="stable")
    # The scorer's own table stays as it is; one copy for all batches, because
    # fresh memory costs more than copying does.
    table = np.empty((min(_BATCH, len(queries)), queries.num_items), np.float32)
    parts = [by_length[part] for part in in_order(len(queries), _BATCH)]
    for numbers in tqdm(
        parts, desc=name, unit="batch", leave=False, mininterval=1.0
    ):
        scores = table[: len(numbers)]
        _copy(scorer(numbers), scores)
        queries.exclude(scores, numbers)
        ranks[numbers] = target_ranks(scores, queries.items[numbers])
        lists[numbers] = top_lists(scores, width)
    return Ranking(
        ranks=ranks,
        lists=lists,
        novelty=novelty(lists, self_information(queries.train_counts)),
        coverage=coverage(lists, queries.num_items),
        gini=gini(lists, queries.num_items),
    )


def _copy(answer: np.ndarray, scores: np.ndarray) -> None:
    """Fills [b, items] scores with a scorer's answer."""
    if answer.shape != scores.shape:  # which NumPy might stretch to fit
        raise ValueError(
            f"Got scores of shape {answer.shape} from the scorer, wanted "
            f"{scores.shape}: a row per query and a column per item."
        )
    scores[:] = answer


def slices(
    queries: Queries,
    train_counts: np.ndarray,
    scenarios: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Named subsets of queries, as [queries] bool.

    Args:
        queries: what is asked.
        train_counts: [items] train events of each item.
        scenarios: names of the codes from 1.
    """
    asked = queries.sequences.scenario[queries.targets]
    item_count = train_counts[queries.items]
    length = queries.history_lengths
    return {
        "item:cold (0 train events)": item_count == 0,
        "item:tail (1-5)": (item_count >= 1) & (item_count <= 5),
        "item:torso (6-50)": (item_count > 5) & (item_count <= 50),
        "item:head (51+)": item_count > 50,
        "user:no history": length == 0,
        "user:1-3 events": (length >= 1) & (length <= 3),
        "user:4-10 events": (length >= 4) & (length <= 10),
        "user:11+ events": length > 10,
        **{f"scenario:{n}": asked == i for i, n in enumerate(scenarios, 1)},
    }


def slice_summaries(
    queries: Queries,
    ranking: Ranking,
    train_counts: np.ndarray,
    scenarios: Sequence[str] = (),
) -> dict[str, dict[str, float]]:
    """Metrics of every slice that has a query."""
    return {
        name: summarise(ranking.ranks[chosen])
        for name, chosen in slices(queries, train_counts, scenarios).items()
        if chosen.any()
    }
