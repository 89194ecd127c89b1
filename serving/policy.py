"""Selection of the best admissible items, as pure graph functions.

The exact model and its ScaNN twin both call these, so an inadmissible item
cannot come back from either. Core TensorFlow ops only, no Python loops over
rows.

Rows of the catalogue are int32; -1 means "no item" everywhere.
"""

from __future__ import annotations

import math

import tensorflow as tf

from serving.admission import NO_ROW, Admission, Shelf, adjusted
from serving.rows import at_rows
from serving.signatures import NO_ITEM

_INADMISSIBLE = -math.inf  # no score can lose against it
# Of the answers that a cap leaves, this many times as many are looked at
# before the whole catalogue is.
_CAPPED_DEPTH = 8


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
    codes = at_rows(categories, rows)
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
    queries: tf.Tensor,
    shelf: Shelf,
    admission: Admission,
    k: tf.Tensor,
    *,
    by_products: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores the whole catalogue and selects.

    Args:
        queries: [b, d] float32.
        shelf: the catalogue.
        admission: rules of the b requests.
        k: [b] int32.
        by_products: whether products of vectors are scores as they are.

    Returns:
        Rows and scores as `top_k_admissible` gives them.
    """
    scores = tf.matmul(queries, shelf.vectors, transpose_b=True)  # [b, n]
    if not by_products:
        scores = adjusted(scores, shelf)
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
    found = at_rows(values, rows)
    return tf.where(rows >= 0, found, NO_ITEM)
