"""Search of a catalogue for the best admissible items, exact and with ScaNN.

Both searches are called alike:

    search(queries [b, d], admission of b requests, k [b], by_products=False)
        -> rows [b, K], scores [b, K], is_exact [b]

with rows and scores as `policy.top_k_admissible` gives them, and is_exact
telling which rows are the result of scoring the whole catalogue. With
by_products a score is the product of two vectors, without what the shelf adds.
"""

from __future__ import annotations

import math

import tensorflow as tf

from serving import plans, policy
from serving.admission import (
    Admission,
    Shelf,
    adjusted,
    is_boosted,
    is_excluded,
)
from serving.plans import Plan
from serving.rows import at_rows

# More barred items than this among the best are left to the exact search.
_MAX_EXTRA = 1_000
# Where caps or times may bar any item, this many times k are fetched.
_SIFTED = 8


class ExactSearch(tf.Module):
    """Scores the whole catalogue.

    Args:
        shelf: the catalogue.
    """

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.shelf = shelf

    def __call__(
        self,
        queries: tf.Tensor,
        admission: Admission,
        k: tf.Tensor,
        *,
        by_products: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rows, scores = policy.exact_search(
            queries, self.shelf, admission, k, by_products=by_products
        )
        return rows, scores, tf.ones_like(k, tf.bool)


class ScannSearch(tf.Module):
    """Searches with ScaNN; what ScaNN leaves short is searched exactly.

    Items that join the shelf later are scored beside it, each of them, and so
    are those that are popular at the moment.

    Args:
        shelf: the catalogue.
        plan: one of `plans.candidates(n)`; leaves must not change later.
    """

    def __init__(self, shelf: Shelf, plan: Plan) -> None:
        super().__init__()
        self.exact = ExactSearch(shelf)
        self.plan = plan
        vectors = shelf.vectors.numpy()
        self.num_indexed = len(vectors)
        self.index = plans.built(vectors, plan).serialize_to_module()

    def __call__(
        self,
        queries: tf.Tensor,
        admission: Admission,
        k: tf.Tensor,
        *,
        by_products: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        shelf = self.exact.shelf
        candidates, scores = self._candidates(queries, admission, k)
        if is_boosted(shelf) and not by_products:
            candidates, scores = self._with_hot(queries, candidates, scores)
        rows, best = self._admitted(candidates, scores, admission, k)
        is_short = tf.reduce_sum(tf.cast(rows >= 0, tf.int32), axis=1) < k
        return tf.cond(
            tf.reduce_any(is_short),
            lambda: _mended(
                is_short,
                (rows, best),
                self.exact(queries, admission, k, by_products=by_products),
            ),
            lambda: (rows, best, is_short),
        )

    def _admitted(
        self,
        candidates: tf.Tensor,
        scores: tf.Tensor,
        admission: Admission,
        k: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Rows and scores as `policy.top_k_admissible` gives them."""
        shelf, cap = self.exact.shelf, admission.max_per_category
        barred = admission.bars(candidates, shelf)

        def best(wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            columns, found = policy.top_k_admissible(scores, barred, wanted)
            return policy.rows_at(candidates, columns), found

        every = tf.fill(tf.shape(k), tf.shape(candidates)[1])
        return tf.cond(
            tf.reduce_any(cap > 0),
            lambda: policy.capped(best(every), shelf.categories, cap, k),
            lambda: best(k),
        )

    def _candidates(
        self, queries: tf.Tensor, admission: Admission, k: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """At least K columns of catalogue rows and scores, NaN for none."""
        from scann import scann_ops

        shelf = self.exact.shelf
        width = policy.answer_width(k, tf.shape(shelf.vectors)[0])
        extra = _extra(width, admission, shelf.num_removed)
        fetched = tf.clip_by_value(width + extra, 1, self.num_indexed)
        searcher = scann_ops.searcher_from_module(self.index)
        # Some hundred queries at once are shared out among the cores.
        rows, scores = searcher.search_batched_parallel(
            queries,
            final_num_neighbors=fetched,
            pre_reorder_num_neighbors=tf.maximum(
                2 * fetched, self.plan.reordered
            ),
            leaves_to_search=self.plan.leaves_searched or None,
        )
        added, products = self._added(queries)
        rows = tf.concat([rows, added], axis=1)
        scores = tf.concat([scores, products], axis=1)
        # ScaNN answers fewer columns where the searched leaves hold fewer.
        lacking = tf.maximum(width - tf.shape(rows)[1], 0)
        padding = [[0, 0], [0, lacking]]
        return (
            tf.pad(rows, padding, constant_values=-1),
            tf.pad(scores, padding, constant_values=math.nan),
        )

    def _added(self, queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[b, m] rows that the index does not have, and their scores."""
        vectors = self.exact.shelf.vectors
        rows = tf.range(self.num_indexed, tf.shape(vectors)[0])
        shape = [tf.shape(queries)[0], tf.size(rows)]
        return (
            tf.broadcast_to(rows, shape),
            tf.matmul(queries, vectors[self.num_indexed :], transpose_b=True),
        )

    def _with_hot(
        self, queries: tf.Tensor, rows: tf.Tensor, products: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Candidates by score, those of the greatest boosts among them."""
        shelf = self.exact.shelf
        hot = tf.broadcast_to(
            shelf.hot, [tf.shape(queries)[0], tf.size(shelf.hot)]
        )
        of_hot = tf.matmul(
            queries, at_rows(shelf.vectors, shelf.hot), transpose_b=True
        )
        scores = adjusted(products, shelf, rows)
        return (
            tf.concat([rows, hot], axis=1),
            tf.concat(
                [
                    tf.where(is_excluded(rows, hot), math.nan, scores),
                    adjusted(of_hot, shelf, hot),
                ],
                axis=1,
            ),
        )


def _mended(
    is_short: tf.Tensor,
    found: tuple[tf.Tensor, tf.Tensor],
    exact: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What was found, and the exact answer of requests that got too few."""
    is_exact = is_short[:, tf.newaxis]
    return (
        tf.where(is_exact, exact[0], found[0]),
        tf.where(is_exact, exact[1], found[1]),
        is_short,
    )


def _extra(
    width: tf.Tensor, admission: Admission, num_removed: tf.Tensor
) -> tf.Tensor:
    """Scalar int32, candidates to fetch for those that may be barred."""
    is_item = tf.cast(admission.excluded >= 0, tf.int32)
    excluded = tf.reduce_max(tf.reduce_sum(is_item, axis=1))
    is_sifted = (
        (admission.max_per_category > 0)
        | (admission.now > 0)
        | (admission.min_available_from > 0)
    )
    bounded = tf.minimum(width, _MAX_EXTRA)
    sifted = tf.where(
        tf.reduce_any(is_sifted), (_SIFTED - 1) * bounded, 0
    )
    removed = tf.minimum(num_removed, bounded)
    return tf.minimum(excluded + sifted + removed, _MAX_EXTRA)
