"""Order of a list that values difference, as pure graph functions.

Axes: b requests, P candidates best first (1 or more), d width of a vector,
T steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

# Squared distance under which an item adds nothing to those chosen.
_SAME = 1e-6
_NO_COLUMN = -1


def mmr(
    relevance: tf.Tensor,
    vectors: tf.Tensor,
    diversity: tf.Tensor,
    steps: tf.Tensor | int,
) -> tf.Tensor:
    """Maximal marginal relevance: one item after another, each the one with

        (1 - diversity) relevance_i - diversity max_{j chosen} cos(i, j)

    greatest, without the second term for the first item (Carbonell and
    Goldstein, SIGIR 1998; `diversity` is their 1 - lambda).

    Args:
        relevance: [b, P] float32, minus infinity where there is no item.
        vectors: [b, P, d] float32, unit length.
        diversity: [b] float32 in [0, 1].
        steps: T, items to choose.

    Returns:
        [b, T] int32 distinct columns; -1 where no item is left.
    """
    weight = diversity[:, tf.newaxis]
    least = tf.fill(tf.shape(relevance), -1.0)  # no cosine is below

    def gain(nearest: tf.Tensor) -> tf.Tensor:
        return (1 - weight) * relevance - weight * nearest

    def choose(nearest: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        chosen = tf.gather(vectors, column, batch_dims=1)  # [b, d]
        return tf.maximum(nearest, tf.einsum("bpd,bd->bp", vectors, chosen))

    return _greedily(relevance, gain, choose, least, steps)


def dpp(
    relevance: tf.Tensor,
    vectors: tf.Tensor,
    diversity: tf.Tensor,
    steps: tf.Tensor | int,
) -> tf.Tensor:
    """Greedy maximum of a determinantal point process: one item after another,
    each the one that adds most to

        (1 - diversity) sum_{i chosen} relevance_i
            + diversity log det [cos(i, j)]_{i, j chosen}.

    What an item adds to the second term is the logarithm of its squared
    distance from the span of those chosen (Chen, Zhang and Zhou, NeurIPS
    2018, arXiv 1709.05135; with their theta as 1 - diversity, times a
    constant). They update Cholesky factors; here each vector keeps what is
    left of it beside the chosen ones, the same number by Gram-Schmidt. Once
    the span has all d dimensions, relevance alone decides.

    Args, Returns: as of `mmr`.
    """
    weight = diversity[:, tf.newaxis]

    def gain(left: tf.Tensor) -> tf.Tensor:
        squared = tf.maximum(tf.reduce_sum(left**2, axis=-1), _SAME)
        return (1 - weight) * relevance + weight * tf.math.log(squared)

    def choose(left: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        chosen = tf.gather(left, column, batch_dims=1)  # [b, d]
        unit = tf.math.divide_no_nan(
            chosen, tf.norm(chosen, axis=-1, keepdims=True)
        )
        along = tf.einsum("bpd,bd->bp", left, unit)
        return left - along[..., tf.newaxis] * unit[:, tf.newaxis]

    return _greedily(relevance, gain, choose, vectors, steps)


def _greedily(
    relevance: tf.Tensor,
    gain: Callable[[tf.Tensor], tf.Tensor],
    choose: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    state: tf.Tensor,
    steps: tf.Tensor | int,
) -> tf.Tensor:
    """[b, T] columns of the greatest gains, none twice."""
    requests, width = tf.unstack(tf.shape(relevance))

    def step(
        at: tf.Tensor, is_left: tf.Tensor, state: tf.Tensor, found: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        gains = tf.where(is_left, gain(state), -math.inf)
        best = tf.argmax(gains, axis=1, output_type=tf.int32)
        is_any = tf.reduce_any(is_left, axis=1)
        is_left &= tf.range(width)[tf.newaxis, :] != best[:, tf.newaxis]
        column = tf.where(is_any, best, _NO_COLUMN)
        return (
            at + 1,
            is_left,
            choose(state, tf.where(is_any, best, 0)),
            found.write(at, column),
        )

    *_, found = tf.while_loop(
        lambda at, *_: at < steps,
        step,
        (
            tf.constant(0),
            relevance > -math.inf,
            state,
            tf.TensorArray(tf.int32, steps, element_shape=[None]),
        ),
    )
    columns = tf.reshape(found.stack(), [steps, requests])
    return tf.transpose(columns)


def diversified(
    relevance: tf.Tensor,
    vectors: tf.Tensor,
    diversity: tf.Tensor,
    is_dpp: tf.Tensor,
    places: tf.Tensor,
) -> tf.Tensor:
    """The order of candidates under each request's own method.

    Args:
        relevance: [b, P] float32, descending, minus infinity where there is
            no item.
        vectors: [b, P, d] float32, about unit length.
        diversity: [b] float32 in [0, 1].
        is_dpp: [b] bool, `dpp` or else `mmr`.
        places: [b] int32 places that are chosen, 0 or more; the other
            candidates follow as they stood.

    Returns:
        [b, P] int32, a permutation of the columns.
    """
    requests, width = tf.unstack(tf.shape(relevance))
    steps = tf.minimum(tf.reduce_max(places), width)
    arguments = (relevance, vectors, diversity, steps)
    by_mmr = mmr(*arguments)
    columns = tf.cond(
        tf.reduce_any(is_dpp),
        lambda: tf.where(is_dpp[:, tf.newaxis], dpp(*arguments), by_mmr),
        lambda: by_mmr,
    )
    # Others of the batch may have asked for more.
    is_own = tf.range(steps)[tf.newaxis, :] < places[:, tf.newaxis]
    chosen = tf.where(is_own & (columns >= 0))  # [m, 2] request, step
    request, step = tf.unstack(tf.cast(chosen, tf.int32), axis=1)
    at = tf.stack([request, tf.gather_nd(columns, chosen)], axis=1)
    behind = tf.tile((tf.range(width) + steps)[tf.newaxis, :], [requests, 1])
    return tf.argsort(tf.tensor_scatter_nd_update(behind, at, step), axis=1)
