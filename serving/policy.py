"""What may be answered: admission and selection, as pure graph functions.

The exact model, its ScaNN twin and the offline evaluation all call these, so
what one of them keeps back cannot come from another. Core TensorFlow ops
only, no Python loops over rows. Each of a request's rules makes items
inadmissible, a cap too, so that rules combine by "and" and k items come back
whenever k admissible ones exist.

Rows of the catalogue are int32; -1 means "no item" everywhere.
"""

from __future__ import annotations

import dataclasses
import math

import tensorflow as tf

from serving.signatures import NO_ITEM

NO_ROW = -1
_INADMISSIBLE = -math.inf  # no score can lose against it
# Of the answers that a cap leaves, this many times as many are looked at
# before the whole catalogue is.
_CAPPED_DEPTH = 8


class Shelf(tf.Module):
    """What the rules look at, item by item.

    Args:
        vectors: [n, d] float32, n at least 1, unit length.
        categories: [n] int32 code of the first level of the first category
            path, -1 for none; all none if None.
        available_from: [n] int64 unix seconds, 0 unknown; all if None.
    """

    def __init__(
        self,
        vectors: tf.Variable,
        categories: tf.Variable | None = None,
        available_from: tf.Variable | None = None,
    ) -> None:
        super().__init__(name="shelf")
        num_items = vectors.shape[0]
        if categories is None:
            categories = tf.Variable(tf.fill([num_items], NO_ROW))
        if available_from is None:
            available_from = tf.Variable(tf.zeros([num_items], tf.int64))
        self.vectors, self.categories = vectors, categories
        self.available_from = available_from


@dataclasses.dataclass(frozen=True)
class Admission:
    """Which items each of b requests admits.

    Attributes:
        excluded: [b, X] int32 rows that must not come back, -1 for none.
        allowed: [b, A] int32 rows, -1 for none.
        is_limited: [b] bool, whether only `allowed` may come back.
        now: [b] int64 unix seconds; items with a later `available_from` must
            not come back; 0: whenever.
        min_available_from: [b] int64 unix seconds; items with an earlier or
            unknown `available_from` must not come back; 0: whenever.
        max_per_category: [b] int32; only that many items of a category, those
            with the best scores, may come back; 0: any number. Items
            without a category are not counted.
    """

    excluded: tf.Tensor
    allowed: tf.Tensor
    is_limited: tf.Tensor
    now: tf.Tensor
    min_available_from: tf.Tensor
    max_per_category: tf.Tensor

    @classmethod
    def excluding(cls, excluded: tf.Tensor) -> Admission:
        """All but [b, X] rows."""
        requests = tf.shape(excluded)[:1]
        whenever = tf.zeros(requests, tf.int64)
        return cls(
            excluded=excluded,
            allowed=excluded[:, :0],
            is_limited=tf.zeros(requests, tf.bool),
            now=whenever,
            min_available_from=whenever,
            max_per_category=tf.zeros(requests, tf.int32),
        )

    def bars_all(self, shelf: Shelf) -> tf.Tensor:
        """[b, n] bool, the items of the whole catalogue that are barred."""
        num_items = tf.shape(shelf.vectors)[0]
        return (
            excluded_mask(self.excluded, num_items)
            | (
                self.is_limited[:, tf.newaxis]
                & ~excluded_mask(self.allowed, num_items)
            )
            | self._is_untimely(shelf.available_from[tf.newaxis, :])
        )

    def bars(self, rows: tf.Tensor, shelf: Shelf) -> tf.Tensor:
        """Like `bars_all`, for [b, C] rows, without touching the catalogue."""
        times = tf.gather(shelf.available_from, tf.maximum(rows, 0))
        return (
            is_excluded(rows, self.excluded)
            | (
                self.is_limited[:, tf.newaxis]
                & ~is_excluded(rows, self.allowed)
            )
            | self._is_untimely(times)
        )

    def _is_untimely(self, available_from: tf.Tensor) -> tf.Tensor:
        """[b or 1, C] int64 times -> [b, C] bool."""
        now = self.now[:, tf.newaxis]
        earliest = self.min_available_from[:, tf.newaxis]
        is_early = (now > 0) & (available_from > now)
        return is_early | ((earliest > 0) & (available_from < earliest))


def answer_width(k: tf.Tensor, num_items: tf.Tensor | int) -> tf.Tensor:
    """Columns of a batch's answer: the greatest k, at most the catalogue.

    Args:
        k: [b] int32 answers wanted; negative counts as 0.
        num_items: rows of the catalogue.

    Returns:
        Scalar int32 in [0, num_items].
    """
    greatest = tf.reduce_max(tf.concat([k, [0]], axis=0))
    return tf.minimum(greatest, num_items)


def excluded_mask(excluded: tf.Tensor, num_items: tf.Tensor | int) -> tf.Tensor:
    """Marks the excluded rows of the whole catalogue.

    Args:
        excluded: [b, X] int32 catalogue rows, -1 for none, repeats allowed.
        num_items: n, rows of the catalogue.

    Returns:
        [b, n] bool, true where excluded.
    """
    at = tf.where(excluded >= 0)  # [pairs, 2] request, place
    rows = tf.gather_nd(excluded, at)
    requests = tf.cast(at[:, 0], tf.int32)
    shape = tf.stack([tf.shape(excluded)[0], num_items])
    counts = tf.scatter_nd(
        tf.stack([requests, rows], axis=1), tf.ones_like(rows), shape
    )
    return counts > 0


def is_excluded(rows: tf.Tensor, excluded: tf.Tensor) -> tf.Tensor:
    """Like `excluded_mask`, for a few rows, without touching the catalogue.

    Args:
        rows: [b, C] int32 catalogue rows.
        excluded: [b, X] int32 catalogue rows, -1 for none.

    Returns:
        [b, C] bool, true where the request excludes the row.
    """
    # A greatest value at the end: every search ends on an element.
    ceiling = tf.fill([tf.shape(excluded)[0], 1], tf.int32.max)
    ordered = tf.concat([tf.sort(excluded, axis=1), ceiling], axis=1)
    at = tf.searchsorted(ordered, rows, side="left")
    return (tf.gather(ordered, at, batch_dims=1) == rows) & (rows >= 0)


def top_k_admissible(
    scores: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The k best admissible columns of each row, best first.

    Args:
        scores: [b, n] float32; equal scores keep the order of columns. Minus
            infinity and NaN are never admissible.
        excluded: [b, n] bool, columns that must not come back.
        k: [b] int32 answers wanted of each row.

    Returns:
        [b, K] int32 columns and [b, K] float32 scores, K as `answer_width`;
        -1 and minus infinity beyond a row's own k, and where fewer than k
        columns are admissible.
    """
    admissible = ~excluded & ~tf.math.is_nan(scores)
    masked = tf.where(admissible, scores, _INADMISSIBLE)
    width = answer_width(k, tf.shape(scores)[1])
    best, columns = tf.math.top_k(masked, width)
    wanted = tf.range(width)[tf.newaxis, :] < k[:, tf.newaxis]
    is_answer = wanted & (best > _INADMISSIBLE)
    return (
        tf.where(is_answer, columns, NO_ROW),
        tf.where(is_answer, best, _INADMISSIBLE),
    )


def places_in_category(codes: tf.Tensor) -> tf.Tensor:
    """How many columns before each one have its code.

    Args:
        codes: [b, C] int32.

    Returns:
        [b, C] int32, 0 for the first of its code.

    Example:
        >>> places_in_category(tf.constant([[5, 7, 5, 5]])).numpy()
        array([[0, 0, 1, 2]], dtype=int32)
    """
    width = tf.shape(codes)[1]
    order = tf.argsort(codes, axis=1, stable=True)
    ordered = tf.gather(codes, order, batch_dims=1)
    # A greatest value at the end: an empty row can be searched too.
    padded = tf.pad(ordered, [[0, 0], [0, 1]], constant_values=tf.int32.max)
    first = tf.searchsorted(padded, ordered, side="left")
    places = tf.range(width)[tf.newaxis, :] - first
    return tf.gather(places, tf.argsort(order, axis=1), batch_dims=1)


def capped(
    ranked: tuple[tf.Tensor, tf.Tensor],
    categories: tf.Tensor,
    cap: tf.Tensor,
    k: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The k best of each row of which a category has no more than its cap.

    Args:
        ranked: [b, C] int32 rows of the catalogue, best first, and [b, C]
            float32 scores, minus infinity where there is no item.
        categories: [n] int32 codes of the catalogue, -1 for none.
        cap: [b] int32, 0 for none.
        k: [b] int32.

    Returns:
        Rows and scores as `top_k_admissible` gives them.
    """
    rows, scores = ranked
    codes = tf.gather(categories, tf.maximum(rows, 0))
    limit = cap[:, tf.newaxis]
    is_over = (places_in_category(codes) >= limit) & (limit > 0) & (codes >= 0)
    columns, best = top_k_admissible(scores, is_over, k)
    return rows_at(rows, columns), best


def rows_at(rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """[b, C] rows at [b, K] columns, -1 where the column is -1."""
    found = tf.gather(
        tf.pad(rows, [[0, 0], [0, 1]], constant_values=NO_ROW),
        tf.maximum(columns, 0),
        batch_dims=1,
    )
    return tf.where(columns >= 0, found, NO_ROW)


def exact_search(
    queries: tf.Tensor, shelf: Shelf, admission: Admission, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores the whole catalogue and selects.

    Args:
        queries: [b, d] float32.
        shelf: the catalogue.
        admission: rules of the b requests.
        k: [b] int32.

    Returns:
        Rows and scores as `top_k_admissible` gives them.
    """
    scores = tf.matmul(queries, shelf.vectors, transpose_b=True)  # [b, n]
    barred = admission.bars_all(shelf)
    cap = admission.max_per_category

    def within_caps(depth: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        ranked = top_k_admissible(scores, barred, tf.fill(tf.shape(k), depth))
        return capped(ranked, shelf.categories, cap, k)

    def near_then_far() -> tuple[tf.Tensor, tf.Tensor]:
        num_items = tf.shape(scores)[1]
        width = tf.maximum(answer_width(k, num_items), 1)
        depth = tf.minimum(_CAPPED_DEPTH * width, num_items)
        near = within_caps(depth)
        found = tf.reduce_sum(tf.cast(near[0] >= 0, tf.int32), axis=1)
        return tf.cond(
            tf.reduce_any(found < k) & (depth < num_items),
            lambda: within_caps(num_items),
            lambda: near,
        )

    return tf.cond(
        tf.reduce_any(cap > 0),
        near_then_far,
        lambda: top_k_admissible(scores, barred, k),
    )


def gather_or_empty(values: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """String columns of answers.

    Args:
        values: [n] string, ids or titles of the catalogue, n at least 1.
        rows: [b, K] int32, -1 for no item.

    Returns:
        [b, K] string, "" where there is no item.
    """
    found = tf.gather(values, tf.maximum(rows, 0))
    return tf.where(rows >= 0, found, NO_ITEM)
