"""Values of a catalogue by row."""

from __future__ import annotations

import tensorflow as tf


def at_rows(values: tf.Variable | tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Values at rows, without a copy of any others.

    `tf.gather` of a variable itself would have TensorFlow copy the whole
    variable each time that another operation reads it (`copy_on_read_mode` in
    its `resource_variable_ops.cc`): all vectors of a catalogue, several times
    a request.

    Args:
        values: [n, ...], n at least 1.
        rows: int32 of any shape; -1 reads row 0.

    Returns:
        [rows..., ...].
    """
    return tf.gather(tf.convert_to_tensor(values), tf.maximum(rows, 0))
