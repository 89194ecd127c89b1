"""The retrieval loss: softmax over candidates, corrected for sampling.

TFRS's `Retrieval` task labels with an identity matrix, one column per row, so
a candidate set shared by all rows (the whole catalogue, or distinct items)
does not fit it; and its sampling correction is floored at 1e-6. Where both
apply they agree, which `tests/trainer/test_losses.py` shows.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def retrieval_loss(
    queries: tf.Tensor,
    candidates: tf.Tensor,
    positives: tf.Tensor,
    *,
    temperature: float = 1.0,
    log_inclusion: tf.Tensor | None = None,
    precision: tf.DType = tf.float32,
) -> tf.Tensor:
    """Cross-entropy of each query's positive among distinct candidates.

    loss_q = -log softmax_c(queries_q . candidates_c / temperature - log p_c)
    at c = positives_q. With p_c the probability that c is among the
    candidates, it estimates the softmax over the whole catalogue (Bengio and
    Senecal 2008; the logQ correction of Yi et al., RecSys 2019). Candidates
    are distinct items, so none is a hidden positive of its own row.

    Args:
        queries: [queries, dim] float32.
        candidates: [candidates, dim] float32 vectors of distinct items.
        positives: [queries] int column of the item that was chosen.
        temperature: higher flattens the softmax.
        log_inclusion: [candidates] float32 log p_c; None for the full softmax.
        precision: of the scores; bfloat16 rounds each to 3 digits.

    Returns:
        [queries] float32.

    Example:
        >>> import tensorflow as tf
        >>> queries = tf.constant([[1.0, 0.0]])
        >>> candidates = tf.constant([[1.0, 0.0], [0.0, 1.0]])
        >>> loss = retrieval_loss(queries, candidates, tf.constant([0]))
        >>> round(float(loss[0]), 4)  # log(1 + exp(-1))
        0.3133
    """
    queries /= temperature
    offsets = tf.zeros([tf.shape(candidates)[0]])
    if log_inclusion is not None:
        offsets = -log_inclusion
    chosen = tf.gather(candidates, positives)
    own = tf.einsum("qd,qd->q", queries, chosen) + tf.gather(offsets, positives)
    log_sums, greatest = log_partition(queries, candidates, offsets, precision)
    return log_sums + (greatest - own)  # large scores cancel exactly


def log_partition(
    queries: tf.Tensor,
    candidates: tf.Tensor,
    offsets: tf.Tensor,
    precision: tf.DType = tf.float32,
) -> tuple[tf.Tensor, tf.Tensor]:
    """log sum_c exp(queries_q . candidates_c + offsets_c), as two addends.

    Its gradient is written by hand: scaling the small operands instead of the
    [queries, candidates] matrix leaves one pass over it for each of exp and
    sum, where TensorFlow's cross-entropy makes eight. Sums stay in float32.

    Args:
        queries: [queries, dim] float32.
        candidates: [candidates, dim] float32.
        offsets: [candidates] float32; no gradient reaches them.
        precision: of the products and exponentials.

    Returns:
        [queries] float32 each: the log of the sum relative to the greatest
        score, and that score. The gradient is that of their sum.
    """
    offsets = tf.cast(offsets, precision)

    @tf.custom_gradient
    def partition(
        queries: tf.Tensor, candidates: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], Callable[..., tuple[tf.Tensor, ...]]]:
        rows, columns = (
            tf.cast(values, precision) for values in (queries, candidates)
        )
        logits = tf.matmul(rows, columns, transpose_b=True) + offsets
        greatest = tf.reduce_max(logits, axis=1, keepdims=True)
        weights = tf.exp(logits - greatest)  # [queries, candidates]
        ones = tf.ones([tf.shape(columns)[0], 1], precision)
        sums = tf.cast(tf.matmul(weights, ones)[:, 0], tf.float32)

        def gradient(upstream: tf.Tensor, _: object) -> tuple[tf.Tensor, ...]:
            scale = (upstream / sums)[:, None]
            scaled_rows = tf.cast(queries * scale, precision)
            of_queries = tf.matmul(weights, columns)
            of_candidates = tf.matmul(weights, scaled_rows, transpose_a=True)
            return (
                tf.cast(of_queries, tf.float32) * scale,
                tf.cast(of_candidates, tf.float32),
            )

        parts = tf.math.log(sums), tf.cast(greatest[:, 0], tf.float32)
        return parts, gradient

    log_sums, greatest = partition(queries, candidates)
    return log_sums, greatest


def log_inclusion_probability(
    in_batch: tf.Tensor, num_uniform: int, num_items: int, batch_events: int
) -> tf.Tensor:
    """Log probability that an item is in a mixed set of candidates.

    The set holds the items of `batch_events` events, drawn as often as they
    occur, and `num_uniform` items drawn evenly. An item is missed by all of
    those draws with probability (1 - f)^events (1 - 1/N)^uniform.

    Args:
        in_batch: [candidates] float32 share f of train events per item.
        num_uniform: uniform draws.
        num_items: N, size of the catalogue.
        batch_events: events of the batch.

    Returns:
        [candidates] float32, at most 0.
    """
    missed = tf.cast(batch_events, tf.float32) * tf.math.log1p(-in_batch)
    missed += num_uniform * tf.math.log1p(
        -1.0 / tf.cast(tf.maximum(num_items, 2), tf.float32)
    )
    return tf.math.log(-tf.math.expm1(missed))
