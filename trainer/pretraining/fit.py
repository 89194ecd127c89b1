"""Fitting one stage: steps, checkpoints, progress with the time left."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from trainer.pretraining.config import PretrainingConfig

_CLIP_NORM = 1.0


class Stage(Protocol):
    """What is fitted."""

    name: str
    epochs: int

    def steps(self, epoch: int) -> int:
        """Batches of an epoch."""

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        """Batches of an epoch, the same whenever it is asked for."""

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """Shapes of a batch."""

    def loss(self, *batch: tf.Tensor, training: bool = True) -> tf.Tensor:
        """Loss of a batch."""


class StageFit:
    """One stage's optimizer and place, saved with the model's weights.

    Args:
        stage: what is fitted.
        model: its model.
        config: step sizes and seconds between checkpoints.
        learning_rate: peak step size.
        folder: of this run's checkpoints.
    """

    def __init__(
        self,
        stage: Stage,
        model: Any,
        config: PretrainingConfig,
        learning_rate: float,
        folder: Path,
    ) -> None:
        self._stage, self._model, self._config = stage, model, config
        self._per_epoch = [stage.steps(epoch) for epoch in range(stage.epochs)]
        total = max(1, sum(self._per_epoch))
        warmup = round(config.warmup_share * total)
        schedule = tf.keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else learning_rate,
            max(1, total - warmup),
            warmup_target=learning_rate if warmup else None,
            warmup_steps=warmup,
        )
        self._optimizer = tf.keras.optimizers.AdamW(
            schedule, weight_decay=config.weight_decay
        )
        self._optimizer.exclude_from_weight_decay(
            var_names=["bias", "LayerNorm"]
        )
        self._optimizer.build(model.trainable_variables)
        self._done = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(
                model=model, optimizer=self._optimizer, done=self._done
            ),
            str(folder / stage.name),
            max_to_keep=1,
        )
        self._step = tf.function(
            self._train_step, input_signature=stage.signature, autograph=False
        )

    def run(self) -> None:
        """Fits what is left of the stage; a killed run goes on from here.

        Raises:
            FloatingPointError: if the loss is no longer a number.
        """
        total = sum(self._per_epoch)
        self._manager.restore_or_initialize()
        done = int(self._done)
        if 0 < done < total:
            print(f"resuming {self._stage.name} after step {done} of {total}")
        if done == total:
            return
        saved = time.monotonic()
        with tqdm(
            total=total, initial=done, unit="step", mininterval=1.0,
            desc=self._stage.name.replace("_", " "),
        ) as bar:
            mean = 0.0
            for at, batch in enumerate(self._batches_from(done), start=1):
                loss = float(self._step(*map(tf.constant, batch)))
                if not math.isfinite(loss):
                    raise FloatingPointError(
                        f"the loss is no longer a number at step {done + at} "
                        f"of {self._stage.name}; lower learning_rate."
                    )
                # Of about the last hundred steps.
                mean += (loss - mean) / min(at, 100)
                self._done.assign_add(1)
                bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
                bar.update()
                if time.monotonic() - saved >= self._config.save_every_s:
                    self._save()
                    saved = time.monotonic()
        self._save()

    def _batches_from(self, done: int) -> Iterator[tuple[np.ndarray, ...]]:
        """The batches behind the first `done` ones of all epochs."""
        for epoch, steps in enumerate(self._per_epoch):
            if done < steps:
                yield from itertools.islice(
                    self._stage.batches(epoch), done, None
                )
            done = max(0, done - steps)

    def _save(self) -> None:
        try:
            self._manager.save(checkpoint_number=int(self._done))
        except tf.errors.OpError as error:  # what a full disk becomes
            raise OSError(
                f"cannot write a checkpoint to {self._manager.directory}: "
                f"{error.message}. Make room and run the same command again."
            ) from error

    def _train_step(self, *batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._stage.loss(*batch, training=True)
        variables = self._model.trainable_variables
        found = tape.gradient(loss, variables)
        pairs = [
            (tf.convert_to_tensor(gradient), variable)
            for gradient, variable in zip(found, variables, strict=True)
            if gradient is not None
        ]
        gradients, _ = tf.clip_by_global_norm(
            [gradient for gradient, _ in pairs], _CLIP_NORM
        )
        self._optimizer.apply_gradients(
            zip(gradients, [v for _, v in pairs], strict=True)
        )
        return loss
