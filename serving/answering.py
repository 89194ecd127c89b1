"""From queries to an answer: search, ranking head, diversity, exploration.

One function for the exact model, its ScaNN twin and the offline evaluation:
what is measured is what is served.

Axes as in `serving.signatures`; P candidates of a request's pool.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from serving import diversity, exploration, policy, signatures
from serving.admission import NO_ROW, Admission, Shelf
from serving.rows import at_rows

# As `serving.search` has it.
Search = Callable[..., tuple[tf.Tensor, tf.Tensor, tf.Tensor]]
# [b, P] rows -> [b, P] scaled labels that the ranking head predicts.
Head = Callable[[tf.Tensor], tf.Tensor]
# Candidates that are ordered anew: twice the answers, within these bounds.
_LEAST_POOL = 100
MAX_POOL = 1_000


def _share(values: tf.Tensor) -> tf.Tensor:
    """Values brought into [0, 1]; what is no number is 0."""
    return tf.minimum(tf.where(values > 0.0, values, 0.0), 1.0)


@dataclasses.dataclass(frozen=True)
class Wishes:
    """How each of b requests wants its list made; zeros: by score alone.

    Attributes:
        k: int32 answers wanted.
        rerank: float32 weight of the ranking head: score + rerank * head.
        diversity: float32 in [0, 1], as of `serving.diversity`.
        is_dpp: bool, by `diversity.dpp` or else by `diversity.mmr`.
        exploration: float32 in [0, 1], share of the k places that is drawn.
        seed: int64, of the draws.
    """

    k: tf.Tensor
    rerank: tf.Tensor
    diversity: tf.Tensor
    is_dpp: tf.Tensor
    exploration: tf.Tensor
    seed: tf.Tensor

    @classmethod
    def of(cls, inputs: dict[str, tf.Tensor]) -> Wishes:
        """Of a request's inputs, brought into their ranges."""
        method = inputs["diversity_method"]
        return cls(
            k=inputs["k"],
            rerank=inputs["rerank"],
            diversity=_share(inputs["diversity"]),
            is_dpp=tf.equal(method, signatures.DPP),
            exploration=_share(inputs["exploration"]),
            seed=inputs["seed"],
        )

    @property
    def needs_pool(self) -> tf.Tensor:
        """[b] bool, whether more than the order of the search is wanted."""
        return (
            tf.not_equal(self.rerank, 0.0)
            | (self.diversity > 0.0)
            | (self.exploration > 0.0)
        )

    @property
    def depth(self) -> tf.Tensor:
        """[b] int32 items that the search is asked for."""
        # Bounded before it is doubled: k may be the greatest integer.
        pool = 2 * tf.minimum(self.k, MAX_POOL)
        pool = tf.clip_by_value(pool, _LEAST_POOL, MAX_POOL)
        return tf.where(self.needs_pool, tf.maximum(self.k, pool), self.k)


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Lists by place, best first, -1 where there is no item.

    Attributes:
        rows: [b, K] int32.
        scores: [b, K] float32, minus infinity where there is no item.
        propensities: [b, K] float32 as of `exploration.drawn`.
        is_drawn: [b, K] bool.
        is_exact: [b] bool as of `serving.search`.
    """

    rows: tf.Tensor
    scores: tf.Tensor
    propensities: tf.Tensor
    is_drawn: tf.Tensor
    is_exact: tf.Tensor


def _permuted(order: tf.Tensor, *columns: tf.Tensor) -> list[tf.Tensor]:
    return [tf.gather(each, order, batch_dims=1) for each in columns]


def _as_they_stand(columns: tf.Tensor) -> tf.Tensor:
    """[b, P] the order that changes nothing."""
    requests, width = tf.unstack(tf.shape(columns))
    return tf.tile(tf.range(width)[tf.newaxis, :], [requests, 1])


def _reranked(
    pool: tf.Tensor, scores: tf.Tensor, weight: tf.Tensor, head: Head
) -> tuple[tf.Tensor, tf.Tensor]:
    """[b, P] rows and scores, ordered by score + weight * head."""
    is_asked = tf.not_equal(weight, 0.0)

    def blended() -> tuple[tf.Tensor, tf.Tensor]:
        blend = scores + weight[:, tf.newaxis] * head(pool)
        kept = tf.where(is_asked[:, tf.newaxis] & (pool >= 0), blend, scores)
        order = tf.argsort(kept, axis=1, direction="DESCENDING", stable=True)
        return tuple(_permuted(order, pool, kept))

    # The head costs a pass of its own, in a twin even one of the user tower.
    return tf.cond(
        tf.reduce_any(is_asked), blended, lambda: (pool, scores)
    )


@dataclasses.dataclass(frozen=True)
class Policy:
    """Makes lists.

    Attributes:
        shelf: what the rules look at.
        search: of the catalogue.
        temperature: of draws, scalar float32.
    """

    shelf: Shelf
    search: Search
    temperature: tf.Tensor | float

    def choose(
        self,
        queries: tf.Tensor,
        admission: Admission,
        wishes: Wishes,
        head: Head | None = None,
    ) -> Chosen:
        """The k admissible items of each request, in the wanted order.

        Args:
            queries: [b, d] float32.
            admission: which items may come back.
            wishes: how the list is made.
            head: the ranking head; None where there is none.
        """
        rows, scores, is_exact = self.search(queries, admission, wishes.depth)
        rows, scores, propensities = tf.cond(
            tf.reduce_any(wishes.needs_pool),
            lambda: self._arranged(rows, scores, wishes, head),
            lambda: (rows, scores, tf.ones_like(scores)),
        )
        width = policy.answer_width(wishes.k, tf.shape(self.shelf.vectors)[0])
        rows, scores = rows[:, :width], scores[:, :width]
        place = tf.range(width)[tf.newaxis, :]
        is_answer = (place < wishes.k[:, tf.newaxis]) & (rows >= 0)
        first = exploration.first_drawn(wishes.exploration, wishes.k)
        is_place_drawn = (place >= first[:, tf.newaxis]) & (place < MAX_POOL)
        return Chosen(
            rows=tf.where(is_answer, rows, NO_ROW),
            scores=tf.where(is_answer, scores, -math.inf),
            propensities=tf.where(is_answer, propensities[:, :width], 0.0),
            is_drawn=is_answer & is_place_drawn,
            is_exact=is_exact,
        )

    def _arranged(
        self,
        rows: tf.Tensor,
        scores: tf.Tensor,
        wishes: Wishes,
        head: Head | None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """[b, W] rows, scores and propensities with the pool in its order."""
        pool, behind = rows[:, :MAX_POOL], rows[:, MAX_POOL:]
        kept, tail = scores[:, :MAX_POOL], scores[:, MAX_POOL:]
        if head is not None:
            pool, kept = _reranked(pool, kept, wishes.rerank, head)
        pool, kept = _permuted(self._diverse(pool, kept, wishes), pool, kept)
        order, chance = self._drawn(kept, wishes)
        pool, kept = _permuted(order, pool, kept)
        return (
            tf.concat([pool, behind], axis=1),
            tf.concat([kept, tail], axis=1),
            tf.concat([chance, tf.ones_like(tail)], axis=1),
        )

    def _diverse(
        self, pool: tf.Tensor, scores: tf.Tensor, wishes: Wishes
    ) -> tf.Tensor:
        """[b, P] order of the pool."""
        places = tf.where(wishes.diversity > 0.0, wishes.k, 0)
        return tf.cond(
            tf.reduce_any(places > 0),
            lambda: diversity.diversified(
                scores,
                at_rows(self.shelf.vectors, pool),
                wishes.diversity,
                wishes.is_dpp,
                places,
            ),
            lambda: _as_they_stand(pool),
        )

    def _drawn(
        self, scores: tf.Tensor, wishes: Wishes
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Order and propensities of the pool as of `exploration.drawn`."""
        width = tf.shape(scores)[1]
        first = exploration.first_drawn(wishes.exploration, wishes.k)
        is_drawing = first < wishes.k
        return tf.cond(
            tf.reduce_any(is_drawing),
            lambda: exploration.drawn(
                scores,
                tf.where(is_drawing, first, width),
                exploration.uniforms(wishes.seed, MAX_POOL)[:, :width],
                self.temperature,
            ),
            lambda: (_as_they_stand(scores), tf.ones_like(scores)),
        )
