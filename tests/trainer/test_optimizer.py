"""Step sizes; the step itself is tested with the model, on two devices."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import TrainingConfig
from trainer.optimizer import build_optimizer
from trainer.refresh import Refresh
from trainer.strategies import open_strategy
from trainer.tuned_part import TunedPart

STEPS = 10
STANDING = Refresh(lambda: 0.0, lambda: 0.0, 0, 1.0)
CONFIG = TrainingConfig(learning_rate=0.2)


def test_the_step_size_falls_along_a_cosine():
    rate = build_optimizer(CONFIG, STEPS)._learning_rate
    found = [float(rate(step)) for step in (0, 5, 10, 11)]
    assert found == pytest.approx([0.2, 0.1, 0.0, 0.0], abs=1e-7)


@pytest.mark.parametrize("name", ["none", "mirrored"])
def test_a_tuned_encoder_moves_at_a_rate_of_its_own(name):
    strategy = open_strategy(name)
    with strategy.scope():
        first, encoder, last = (tf.Variable([0.0, 0.0]) for _ in range(3))
        tuned = TunedPart([encoder], 0.01, STANDING)
        optimizer = build_optimizer(CONFIG, STEPS, tuned)
        optimizer.build([first, encoder, last])
    slopes = tf.constant([3.0, -0.5])

    def take() -> None:
        optimizer.apply_gradients(
            [(slopes, each) for each in (first, encoder, last)],
            skip_gradients_aggregation=True,
        )

    step = tf.function(lambda: strategy.run(take))
    for _ in range(4):
        step()
    # Adam takes whole steps along a gradient that stays the same.
    shares = 0.5 * (1 + np.cos(np.pi * np.arange(4) / STEPS))
    moved = shares.sum() * np.array([-1.0, 1.0])
    for variable, rate in ((first, 0.2), (encoder, 0.01), (last, 0.2)):
        np.testing.assert_allclose(variable, rate * moved, rtol=1e-4)
    assert optimizer.iterations.numpy() == 4


def test_a_checkpoint_has_the_moments_of_both(tmp_path):
    def built() -> tuple[tf.keras.optimizers.Optimizer, list[tf.Variable]]:
        weights = [tf.Variable(0.0), tf.Variable(0.0)]
        tuned = TunedPart(weights[1:], 0.01, STANDING)
        optimizer = build_optimizer(CONFIG, STEPS, tuned)
        optimizer.build(weights)
        return optimizer, weights

    def path_of(
        optimizer: tf.keras.optimizers.Optimizer, weights: list[tf.Variable]
    ) -> list[float]:
        optimizer.apply_gradients(
            [(tf.constant(-1.0), each) for each in weights]
        )
        return [float(each) for each in weights]

    optimizer, weights = built()
    optimizer.apply_gradients([(tf.constant(1.0), each) for each in weights])
    saved = tf.train.Checkpoint(optimizer=optimizer, weights=weights).save(
        str(tmp_path / "c")
    )
    again, others = built()
    tf.train.Checkpoint(optimizer=again, weights=others).restore(
        saved
    ).assert_existing_objects_matched()
    assert path_of(again, others) == path_of(optimizer, weights)
