"""What speaks for an answer."""

from __future__ import annotations

import math

import tensorflow as tf

from serving import policy, signatures
from serving.admission import NO_ROW
from serving.rows import at_rows


def reasons(
    history: tf.Tensor,
    otherwise: tf.Tensor,
    rows: tf.Tensor,
    vectors: tf.Tensor,
    item_ids: tf.Tensor,
) -> tf.Tensor:
    """What speaks most for each answer.

    Args:
        history: [b, L] int32 rows, -1 for none.
        otherwise: [b] string, what speaks for it without known events.
        rows: [b, K] int32 rows of the answers, -1 for none.
        vectors: [n, d] float32, about unit length.
        item_ids: [n] string.

    Returns:
        [b, K] string: `history:ID` with the event's item whose cosine with
        the answer is greatest; "" where there is no item.
    """
    history = tf.pad(history, [[0, 0], [0, 1]], constant_values=NO_ROW)
    cosines = tf.einsum(
        "bkd,bld->bkl",
        at_rows(vectors, rows),
        at_rows(vectors, history),
    )
    is_event = (history >= 0)[:, tf.newaxis, :]
    nearest = tf.argmax(tf.where(is_event, cosines, -math.inf), axis=2)
    named = policy.gather_or_empty(
        item_ids, tf.gather(history, nearest, batch_dims=1)
    )
    reason = tf.where(
        tf.not_equal(named, signatures.NO_ITEM),
        tf.strings.join([signatures.BY_HISTORY, named]),
        otherwise[:, tf.newaxis],
    )
    return tf.where(rows >= 0, reason, signatures.NO_ITEM)
