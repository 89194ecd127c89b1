"""Ranking losses over lists of labelled events, one list per window.

The last axis of every argument is the list, the one before it the windows; no
label is compared with one of another window. An event counts where
`is_labelled` says so, whatever stands elsewhere. Both losses look at the
order of scores alone: adding a number to all scores of a window changes
nothing. TensorFlow Ranking, which has both, wants a TensorFlow below 2.16
(its last release, 0.5.5, is of March 2024).
"""

from __future__ import annotations

import tensorflow as tf


def pairwise_loss(
    scores: tf.Tensor, labels: tf.Tensor, is_labelled: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logistic loss over the pairs of a window whose labels differ.

    loss_w = mean over pairs with label_i > label_j of
    log(1 + exp(score_j - score_i)), RankNet with certain targets (Burges et
    al., ICML 2005). By how much labels differ does not count.

    Args:
        scores: [windows, events] float32.
        labels: [windows, events] float32, higher is better.
        is_labelled: [windows, events] bool.

    Returns:
        [windows] float32 losses, and [windows] bool, whether the window has
        a pair; where it has none the loss is 0.

    Example:
        >>> import tensorflow as tf
        >>> loss, has_pair = pairwise_loss(
        ...     tf.constant([[2.0, 1.0, 9.0]]),
        ...     tf.constant([[1.0, 0.5, 0.0]]),
        ...     tf.constant([[True, True, False]]),
        ... )
        >>> round(float(loss[0]), 4)  # log(1 + exp(1 - 2))
        0.3133
    """
    scores = tf.where(is_labelled, scores, 0.0)
    is_pair = labels[:, :, None] > labels[:, None, :]  # [windows, i, j]
    is_pair &= is_labelled[:, :, None] & is_labelled[:, None, :]
    weight = tf.cast(is_pair, tf.float32)
    wrong_by = scores[:, None, :] - scores[:, :, None]
    total = tf.reduce_sum(weight * tf.nn.softplus(wrong_by), axis=[1, 2])
    pairs = tf.reduce_sum(weight, axis=[1, 2])
    return total / tf.maximum(pairs, 1.0), pairs > 0


def listwise_loss(
    scores: tf.Tensor, labels: tf.Tensor, is_labelled: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cross-entropy between the softmax of labels and that of scores.

    loss_w = -sum_t softmax(labels_w)_t log softmax(scores_w)_t, the top-one
    form of ListNet (Cao et al., ICML 2007). It is least where scores are the
    labels plus any number, and is then the entropy of softmax(labels).

    Args:
        scores: [windows, events] float32.
        labels: [windows, events] float32, higher is better.
        is_labelled: [windows, events] bool.

    Returns:
        [windows] float32 losses, and [windows] bool, whether the window has
        two labels to compare; where it has not the loss is 0.

    Example:
        >>> import tensorflow as tf
        >>> loss, has_two = listwise_loss(
        ...     tf.constant([[0.0, 0.0, 9.0]]),
        ...     tf.constant([[1.0, 0.0, 0.0]]),
        ...     tf.constant([[True, True, False]]),
        ... )
        >>> round(float(loss[0]), 4)  # log(2): both scores are equal
        0.6931
    """
    # Finite: the softmax of a row of minus infinities alone is no number.
    lowest = scores.dtype.min
    wanted = tf.nn.softmax(tf.where(is_labelled, labels, lowest))
    found = tf.nn.log_softmax(tf.where(is_labelled, scores, lowest))
    # A row without a label has equal shares, and counts as nothing.
    losses = -tf.reduce_sum(
        tf.where(is_labelled, wanted * found, 0.0), axis=-1
    )
    count = tf.reduce_sum(tf.cast(is_labelled, tf.int32), axis=-1)
    return losses, count > 1
