"""AdamW, with a step size of its own for a text encoder that is tuned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from trainer.config import TrainingConfig
from trainer.tuned_part import TunedPart


class TwoRateAdamW(tf.keras.optimizers.AdamW):
    """AdamW with a step size of its own for some of the variables.

    Args:
        learning_rate: of all others.
        part: the variables.
        part_optimizer: moves them.
        weight_decay: of all others.
    """

    def __init__(
        self,
        learning_rate: tf.keras.optimizers.schedules.LearningRateSchedule,
        part: Iterable[tf.Variable],
        part_optimizer: tf.keras.optimizers.Optimizer,
        *,
        weight_decay: float,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.part_optimizer = part_optimizer
        self._part = frozenset(variable.ref() for variable in part)

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        """Makes the moments of all variables."""
        super().build([v for v in var_list if v.ref() not in self._part])
        self.part_optimizer.build(
            [v for v in var_list if v.ref() in self._part]
        )

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[tf.Tensor, tf.Variable]],
        **options: Any,
    ) -> tf.Variable:
        """Takes a step with all variables. Returns its number."""
        pairs = list(grads_and_vars)
        self.part_optimizer.apply_gradients(
            [pair for pair in pairs if pair[1].ref() in self._part], **options
        )
        return super().apply_gradients(
            [pair for pair in pairs if pair[1].ref() not in self._part],
            **options,
        )


def build_optimizer(
    config: TrainingConfig, steps: int, tuned: TunedPart | None = None
) -> tf.keras.optimizers.Optimizer:
    """AdamW whose step sizes fall along a cosine over `steps` steps.

    Args:
        config: peak step size and weight decay.
        steps: of the whole training.
        tuned: has a peak step size of its own.
    """
    towers = _cosine(config.learning_rate, steps)
    decay = config.weight_decay
    if tuned is None:
        return tf.keras.optimizers.AdamW(towers, weight_decay=decay)
    encoder = tf.keras.optimizers.AdamW(
        _cosine(tuned.learning_rate, steps), weight_decay=decay
    )
    return TwoRateAdamW(towers, tuned.weights, encoder, weight_decay=decay)


def _cosine(
    peak: float, steps: int
) -> tf.keras.optimizers.schedules.LearningRateSchedule:
    return tf.keras.optimizers.schedules.CosineDecay(peak, max(1, steps))
