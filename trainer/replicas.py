"""What all replicas of a distribution strategy have together."""

from __future__ import annotations

import tensorflow as tf


def over_replicas(count: tf.Tensor) -> tf.Tensor:
    """A count summed over replicas, float32, at least 1."""
    context = tf.distribute.get_replica_context()
    total = tf.cast(count, tf.float32)
    if context is not None and context.num_replicas_in_sync > 1:
        total = context.all_reduce(tf.distribute.ReduceOp.SUM, total)
    return tf.maximum(total, 1.0)


def gathered(codes: tf.Tensor) -> tf.Tensor:
    """[n] codes of this replica -> codes of all replicas."""
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        return context.all_gather(codes, axis=0)
    return codes
