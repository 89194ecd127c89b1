"""Places of a list that are drawn, with the probability of what was drawn.

Learning from what was shown needs to know how likely it was to be shown: with
these propensities p, a mean of reward / p estimates what another policy would
have earned (Horvitz and Thompson 1952; Bottou et al., JMLR 2013).
"""

from __future__ import annotations

import math

import tensorflow as tf

_OF_PLACES = 0  # which of a seed's streams; a second purpose takes another
_NOWHERE = -1e30  # the cumulated logarithm of minus infinity is no number
_TINY = 1.2e-38  # the least normal float32: its logarithm is finite


def first_drawn(share: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """[b] int32, places before those that are drawn: k - round(share k).

    Args:
        share: [b] float32 in [0, 1]; a half is rounded up.
        k: [b] int32.
    """
    drawn = tf.floor(share * tf.cast(k, tf.float32) + 0.5)
    return k - tf.minimum(tf.cast(drawn, tf.int32), k)


def uniforms(seed: tf.Tensor, width: int) -> tf.Tensor:
    """[b] int64 seeds -> [b, width] float32 in (0, 1).

    A row depends on its own seed alone, not on the batch around it.
    """
    return tf.map_fn(
        lambda one: tf.random.stateless_uniform(
            [width], tf.stack([one, _OF_PLACES]), minval=_TINY
        ),
        seed,
        fn_output_signature=tf.TensorSpec([width], tf.float32),
    )


def drawn(
    scores: tf.Tensor,
    first: tf.Tensor,
    uniform: tf.Tensor,
    temperature: tf.Tensor | float,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Fills the places from `first` on, one after another, each with a draw

        p(i) = exp(score_i / temperature) / sum_{j left} exp(score_j / ...)

    among the candidates that are left: Plackett and Luce's model, drawn by
    adding Gumbel noise and sorting (Yellott 1977; Kool et al., ICML 2019).

    Args:
        scores: [b, P] float32, minus infinity where there is no item.
        first: [b] int32 places that stay as they are.
        uniform: [b, P] float32 in (0, 1).
        temperature: higher flattens the draw.

    Returns:
        [b, P] int32, a permutation of the columns; and [b, P] float32, by
        place: p of the item that was drawn there, given those before it; 1
        in places that stay and 0 where there is no item.
    """
    place = tf.range(tf.shape(scores)[1])[tf.newaxis, :]
    is_kept = place < first[:, tf.newaxis]
    logits = tf.where(is_kept, -math.inf, scores / temperature)
    noise = -tf.math.log(-tf.math.log(uniform))
    keys = tf.where(is_kept, math.inf, logits + noise)
    order = tf.argsort(keys, axis=1, direction="DESCENDING", stable=True)
    ordered = tf.gather(logits, order, batch_dims=1)
    # In float64: a logarithm of 600 has no digits to spare in float32.
    logs = tf.cast(tf.maximum(ordered, _NOWHERE), tf.float64)
    left = tf.math.cumulative_logsumexp(logs, axis=1, reverse=True)
    is_item = tf.gather(scores, order, batch_dims=1) > -math.inf
    chance = tf.where(is_item, tf.cast(tf.exp(logs - left), tf.float32), 0.0)
    return order, tf.where(is_kept, tf.cast(is_item, tf.float32), chance)
