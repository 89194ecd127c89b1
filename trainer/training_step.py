"""One step of fitting, the same on one device and on several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf

from trainer.config import TrainingConfig


class Trainable(Protocol):
    """What is fitted: a `TwoTower`, or a part of one."""

    optimizer: tf.keras.optimizers.Optimizer

    @property
    def trainable_variables(self) -> Sequence[tf.Variable]:
        """The variables that a step changes."""

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """One replica's share of the loss of a batch."""


def build_optimizer(
    config: TrainingConfig, steps: int
) -> tf.keras.optimizers.Optimizer:
    """AdamW whose step size falls along a cosine over `steps` steps."""
    schedule = tf.keras.optimizers.schedules.CosineDecay(
        config.learning_rate, max(1, steps)
    )
    return tf.keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay
    )


def train_step(
    model: Trainable, batch: dict[str, tf.Tensor], clip_norm: float
) -> tf.Tensor:
    """One replica's part of one step. Returns its share of the loss.

    Gradients are summed over replicas before they are clipped, so that the
    step is the one that a single device takes on the joined batch.
    """
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    pairs = [
        (gradient, variable)
        for gradient, variable in zip(gradients, variables, strict=True)
        if gradient is not None
    ]
    # Dense: the norm of slices would count the rows of one item apart, and
    # Adam touches every row of its moments in any case.
    summed = [tf.convert_to_tensor(gradient) for gradient, _ in pairs]
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync > 1:
        summed = context.all_reduce(tf.distribute.ReduceOp.SUM, summed)
    summed, _ = tf.clip_by_global_norm(summed, clip_norm)
    model.optimizer.apply_gradients(
        zip(summed, [v for _, v in pairs], strict=True),
        skip_gradients_aggregation=True,
    )
    return loss
