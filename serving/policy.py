"""What may be answered: exclusion and selection, as pure graph functions.

The exact model and its ScaNN twin both call these, so an excluded item cannot
come back from either. Core TensorFlow ops only, no Python loops over rows.

Rows of the catalogue are int32; -1 means "no item" everywhere.
"""

from __future__ import annotations

import math

import tensorflow as tf

from serving.signatures import NO_ITEM

_INADMISSIBLE = -math.inf  # no score can lose against it
_NO_ROW = -1


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
        tf.where(is_answer, columns, _NO_ROW),
        tf.where(is_answer, best, _INADMISSIBLE),
    )


def exact_search(
    queries: tf.Tensor, vectors: tf.Tensor, excluded: tf.Tensor, k: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores the whole catalogue and selects.

    Args:
        queries: [b, d] float32.
        vectors: [n, d] float32 catalogue.
        excluded: [b, X] int32 catalogue rows, -1 for none.
        k: [b] int32.

    Returns:
        Rows and scores as `top_k_admissible` gives them.
    """
    scores = tf.matmul(queries, vectors, transpose_b=True)  # [b, n]
    mask = excluded_mask(excluded, tf.shape(vectors)[0])
    return top_k_admissible(scores, mask, k)


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
