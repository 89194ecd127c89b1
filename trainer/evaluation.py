"""Full-catalogue evaluation: every target ranked among all items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm

from trainer.batches import in_order
from trainer.behaviour import Sequences
from trainer.metrics import coverage, summarise, target_ranks

# Query numbers -> their scores [queries, items]; higher is better.
Scorer = Callable[[np.ndarray], np.ndarray]
_BATCH = 256
_LIST = 10  # length of the lists that coverage looks at


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
    def history_lengths(self) -> np.ndarray:
        """[queries] int64 events before the target."""
        return self.targets - self.sequences.starts[self.user]

    def exclude(self, scores: np.ndarray, numbers: np.ndarray) -> None:
        """Sets seen items' scores to minus infinity, in place.

        Args:
            scores: [b, items] of the queries in `numbers`.
            numbers: [b] query numbers.
        """
        if not self.exclude_seen:
            return
        lengths = self.history_lengths[numbers]
        row = np.repeat(np.arange(len(numbers)), lengths)
        first = self.sequences.starts[self.user[numbers]]
        offset = np.arange(lengths.sum()) - np.repeat(
            np.cumsum(lengths) - lengths, lengths
        )
        seen = self.sequences.item[np.repeat(first, lengths) + offset]
        scores[row, seen] = -np.inf


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
        coverage: share of the catalogue in all top-10 lists.
    """

    ranks: np.ndarray
    coverage: float

    def summary(self) -> dict[str, float]:
        """All metrics by name."""
        return {**summarise(self.ranks), "coverage@10": self.coverage}


def rank_targets(queries: Queries, scorer: Scorer, name: str) -> Ranking:
    """Ranks each query's target among the whole catalogue.

    Args:
        queries: what is asked.
        scorer: query numbers [b] -> scores [b, items].
        name: what the progress bar says.
    """
    ranks = np.empty(len(queries), np.int64)
    width = min(_LIST, queries.num_items)
    lists = np.full((len(queries), width), -1, np.int64)
    # Queries of like history length share a batch: little padding.
    by_length = np.argsort(queries.history_lengths, kind="stable")
    parts = [by_length[part] for part in in_order(len(queries), _BATCH)]
    for numbers in tqdm(
        parts, desc=name, unit="batch", leave=False, mininterval=1.0
    ):
        scores = np.array(scorer(numbers), np.float32)
        queries.exclude(scores, numbers)
        ranks[numbers] = target_ranks(scores, queries.items[numbers])
        top = np.argpartition(-scores, width - 1, axis=1)[:, :width]
        kept = np.take_along_axis(scores, top, axis=1)
        lists[numbers] = np.where(np.isneginf(kept), -1, top)
    return Ranking(ranks, coverage(lists, queries.num_items))


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
