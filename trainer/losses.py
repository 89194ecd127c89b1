"""The retrieval loss: softmax over candidates, corrected for sampling.

TFRS's `Retrieval` task labels with an identity matrix, one column per row, so
a candidate set shared by all rows (the whole catalogue, or distinct items)
does not fit it; and its sampling correction is floored at 1e-6. Where both
apply they agree, which `tests/trainer/test_losses.py` shows.
"""

from __future__ import annotations

import tensorflow as tf


def retrieval_loss(
    queries: tf.Tensor,
    candidates: tf.Tensor,
    positives: tf.Tensor,
    *,
    temperature: float = 1.0,
    log_inclusion: tf.Tensor | None = None,
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
    logits = tf.matmul(queries, candidates, transpose_b=True) / temperature
    if log_inclusion is not None:
        logits -= log_inclusion[None, :]
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=positives, logits=logits
    )


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
