"""Values of a catalogue by row, and what reading them costs later reads."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from serving.rows import at_rows


def test_values_stand_in_the_shape_of_rows_and_none_is_row_0(rng):
    values = rng.normal(size=(5, 2)).astype(np.float32)
    found = at_rows(tf.Variable(values), tf.constant([[4, -1], [0, 2]]))
    np.testing.assert_array_equal(
        found, [[values[4], values[0]], [values[0], values[2]]]
    )
    words = at_rows(tf.Variable(["tea", "cup"]), tf.constant([1]))
    assert words.numpy().tolist() == [b"cup"]


def test_a_variable_is_not_copied_when_it_is_read(rng):
    variable = tf.Variable(rng.normal(size=(1000, 8)), shape=[None, 8])

    @tf.function
    def row(number):
        return at_rows(variable, number)

    row(tf.constant([3]))
    reads = [variable.read_value() for _ in range(2)]
    one, other = (np.asarray(memoryview(read)).ctypes.data for read in reads)
    assert one == other
