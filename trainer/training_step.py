"""One step of fitting, the same on one device and on several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf

from trainer.tuning.rank_allocation import RankAllocation


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


def train_step(
    model: Trainable,
    batch: dict[str, tf.Tensor],
    clip_norm: float,
    allocation: RankAllocation | None = None,
) -> tf.Tensor:
    """One replica's part of one step. Returns its share of the loss.

    Gradients are summed over replicas before they are clipped, so that the
    step is the one that a single device takes on the joined batch.

    Args:
        model: is changed.
        batch: this replica's rows.
        clip_norm: global norm that gradients are clipped to.
        allocation: of rank, which adds its penalty to the loss and follows
            the gradients that the step is taken by.
    """
    context = tf.distribute.get_replica_context()
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
        if allocation:
            loss += allocation.penalty() / context.num_replicas_in_sync
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
    if context.num_replicas_in_sync > 1:
        summed = context.all_reduce(tf.distribute.ReduceOp.SUM, summed)
    summed, _ = tf.clip_by_global_norm(summed, clip_norm)
    taken = [variable for _, variable in pairs]
    if allocation:
        scores = allocation.follow(
            {v.ref(): g for v, g in zip(taken, summed, strict=True)}
        )
    model.optimizer.apply_gradients(
        zip(summed, taken, strict=True), skip_gradients_aggregation=True
    )
    if allocation:
        allocation.cut(scores, model.optimizer.iterations)
    return loss
