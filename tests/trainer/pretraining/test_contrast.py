"""The contrastive loss against its formula, written with math alone."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from trainer.pretraining.contrast import pair_loss


def test_a_repeated_column_counts_as_often_as_it_is_wanted():
    # Pairs (0, 0), (1, 1), (1, 0): column 0 is wanted twice.
    logits = [[2.0, 0.5], [-1.0, 3.0]]
    first = 2 * math.exp(2.0) + math.exp(0.5)
    second = 2 * math.exp(-1.0) + math.exp(3.0)
    wanted = (
        math.log(first) - 2.0 + math.log(second) - 3.0
        + math.log(second) + 1.0
    ) / 3
    found = pair_loss(
        tf.constant(logits), tf.constant([0, 1, 1]), tf.constant([0, 1, 0])
    )
    assert float(found) == pytest.approx(wanted, rel=1e-6)


def test_chance_costs_the_logarithm_of_the_pairs():
    loss = pair_loss(
        tf.zeros([5, 5]), tf.range(5, dtype=tf.int32), tf.range(5)
    )
    assert float(loss) == pytest.approx(math.log(5), rel=1e-6)
