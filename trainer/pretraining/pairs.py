"""Pairs of texts that belong together: what the contrastive stage reads.

Only train events make pairs, so that nothing which is to be predicted later
has been seen. Axes: P pairs.
"""

from __future__ import annotations

import numpy as np

from trainer.behaviour import TRAIN, Sequences
from trainer.pretraining.corpus import Corpus


def event_pairs(
    sequences: Sequences, distance: int, generator: np.random.Generator
) -> np.ndarray:
    """Draws one later companion for each train event.

    Args:
        sequences: all events.
        distance: places between both at most.
        generator: of the draws.

    Returns:
        [P, 2] items of train events of one user, never twice the same.
    """
    rows = np.flatnonzero(sequences.split == TRAIN)
    user = np.searchsorted(sequences.starts, rows, "right") - 1
    # Places among train events: what lies between of another split is skipped.
    later = np.arange(len(rows)) + generator.integers(
        1, distance + 1, size=len(rows)
    )
    is_there = later < len(rows)
    first, second = np.flatnonzero(is_there), later[is_there]
    pairs = sequences.item[np.stack([rows[first], rows[second]], axis=1)]
    is_pair = (user[first] == user[second]) & (pairs[:, 0] != pairs[:, 1])
    return pairs[is_pair]


class PairTexts:
    """Rows of texts for pairs of items, and for an item with itself.

    Args:
        corpus: the catalogue's texts.

    Attributes:
        texts: every text that a pair may name; items' texts stand first, in
            catalogue order.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.texts: list[str] = list(corpus.texts)
        self._sequences = corpus.sequences
        has_text = np.array([bool(text) for text in corpus.texts])
        self._has_text = has_text
        self._views = self._view_rows(corpus)

    def _view_rows(self, corpus: Corpus) -> np.ndarray:
        """[items with text, 2] two parts of an item, or its text twice."""
        views = []
        for item, text in enumerate(corpus.texts):
            title, rest = corpus.titles[item], corpus.rests[item]
            if title and rest:
                views.append((self._add(title), self._add(rest)))
            elif text:
                views.append((item, item))
        return np.array(views, np.int64).reshape(-1, 2)

    def _add(self, text: str) -> int:
        self.texts.append(text)
        return len(self.texts) - 1

    def draw(
        self,
        distance: int,
        view_share: float,
        limit: int,
        generator: np.random.Generator,
    ) -> np.ndarray:
        """The pairs of one epoch.

        Args:
            distance: as of `event_pairs`.
            view_share: share of pairs that are two views of one item.
            limit: pairs at most.
            generator: of the draws.

        Returns:
            [P, 2] rows of `texts`, shuffled. Where both rows are one, the two
            views of it are what dropout makes of it (SimCSE, Gao et al.,
            arXiv 2104.08821) and what leaving words out does. Every item's
            views come before any come twice.
        """
        pairs = event_pairs(self._sequences, distance, generator)
        pairs = generator.permutation(pairs[self._has_text[pairs].all(axis=1)])
        # Either text may be the question.
        turned = generator.random(len(pairs)) < 0.5
        pairs[turned] = pairs[turned, ::-1]
        total = min(limit, len(pairs) + len(self._views))
        if view_share < 1 and len(pairs):
            total = min(limit, round(len(pairs) / (1 - view_share)))
        count = round(view_share * total) if len(pairs) else total
        order = generator.permutation(len(self._views))
        views = self._views[np.resize(order, count if len(order) else 0)]
        both = np.concatenate([pairs[: total - len(views)], views])
        return generator.permutation(both)


def as_batches(pairs: np.ndarray, size: int) -> list[np.ndarray]:
    """Cuts [P, 2] pairs into batches; a last one of a single pair is left."""
    cut = [pairs[at : at + size] for at in range(0, len(pairs), size)]
    return [batch for batch in cut if len(batch) > 1]
