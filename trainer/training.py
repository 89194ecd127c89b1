"""Fitting: steps, validation, early stopping, checkpoints."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tqdm import tqdm

from trainer.batches import SIGNATURE, Batch, epoch_rows, padded_batch
from trainer.behaviour import Windows
from trainer.config import TrainingConfig
from trainer.job import CHECKPOINTS, write_json
from trainer.optimizer import build_optimizer
from trainer.prepare import Prepared
from trainer.training_step import Trainable, train_step
from trainer.tuned_part import TunedPart


class Progress(tf.Module):
    """Where a run stands; saved with every checkpoint.

    Attributes:
        epoch: epochs that are finished.
        best_epoch: the epoch of `best`, counted from 1; 0 before the first,
            and where no epoch was better than the start.
        best: best validation score so far.
        seconds: spent in training so far.
    """

    def __init__(self) -> None:
        super().__init__(name="progress")
        self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best_epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best = tf.Variable(-1.0, dtype=tf.float64, trainable=False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)


class Batches:
    """The training batches of every epoch.

    Args:
        prepared: the data.
        windows: training windows.
        config: batch size and seed.
    """

    def __init__(
        self, prepared: Prepared, windows: Windows, config: TrainingConfig
    ) -> None:
        self._prepared, self._windows, self._config = prepared, windows, config
        self._lengths = windows.stop - windows.start

    def __len__(self) -> int:
        # Stretches of 50 batches are cut apart, so only the last may be short.
        return math.ceil(len(self._lengths) / self._config.batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The padded batches of one epoch, the same for one seed."""
        config = self._config
        for rows in epoch_rows(
            self._lengths, config.batch_size, seed=config.seed, epoch=number
        ):
            yield padded_batch(
                self._prepared.sequences,
                self._windows,
                rows,
                labels=self._prepared.labels,
                profile_of=self._prepared.profile_of,
                text_of=self._prepared.event_texts.read_code,
            )


class Fit:
    """One model being fitted to one data set, resumable between epochs.

    Args:
        model: to be fitted; made under `strategy.scope()`.
        batches: training batches.
        config: how to fit.
        strategy: where a step runs.
        job_dir: checkpoints and TensorBoard logs go below it.
        measure: what validation scores, as logs call it.
        tuned: the encoder; None of one that is frozen.
    """

    def __init__(
        self,
        model: Trainable,
        batches: Batches,
        config: TrainingConfig,
        *,
        strategy: tf.distribute.Strategy,
        job_dir: Path,
        measure: str = "ndcg@10",
        tuned: TunedPart | None = None,
    ) -> None:
        self._measure = measure
        self._allocation = tuned.allocation if tuned else None
        self._refresh = tuned.refresh if tuned else None
        self.model, self._batches, self._config = model, batches, config
        self._strategy = strategy
        self.progress = Progress()
        with strategy.scope():
            model.optimizer = build_optimizer(
                config, len(batches) * config.epochs, tuned
            )
            # One forward pass makes the variables that a checkpoint fills.
            model.compute_loss(_tensors(next(batches.epoch(0))))
            model.optimizer.build(model.trainable_variables)
        checkpoint = tf.train.Checkpoint(
            model=model, optimizer=model.optimizer, progress=self.progress
        )
        if self._allocation:
            checkpoint.allocation = self._allocation
        self._last, self._best = (
            tf.train.CheckpointManager(
                checkpoint, str(job_dir / CHECKPOINTS / name), max_to_keep=1
            )
            for name in ("last", "best")
        )
        self._history = job_dir / "history.json"
        self._log = tf.summary.create_file_writer(str(job_dir / "tensorboard"))
        # Replicas' values have no signature; one replica's shapes are free.
        is_one = strategy.num_replicas_in_sync == 1
        self._step = tf.function(
            self._distributed_step,
            input_signature=[SIGNATURE] if is_one else None,
            reduce_retracing=True,
            # It would read and rewrite the sources of Keras, at each start
            # longer than a small training takes.
            autograph=False,
        )

    @property
    def is_begun(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self._last.latest_checkpoint is not None

    def run(
        self, validate: Callable[[], float], *, counts_start: bool = False
    ) -> Progress:
        """Fits until the epochs are over or validation stops improving.

        Args:
            validate: scores the model as it is; higher is better.
            counts_start: whether the model as it was before the first step
                may be the best, as that of epoch 0.

        Returns:
            The progress; the model holds the weights of the best epoch.
        """
        if self._last.restore_or_initialize():
            print(f"resuming after epoch {int(self.progress.epoch)}")
        if self._refresh and not self._is_over():
            self._refresh.now()
        if counts_start and not self.is_begun:
            self._record_start(validate)
        while not self._is_over():
            started = time.monotonic()
            loss = self._epoch(int(self.progress.epoch))
            score = validate()
            self._record(loss, score, time.monotonic() - started)
        self._best.restore_or_initialize()
        if not int(self.progress.best_epoch):
            print("no epoch was better than the start, which is kept.")
        if self._refresh:
            self._refresh.now()
        return self.progress

    def replace_best(self) -> None:
        """Saves the model as it is now as that of the best epoch.

        After `run`; under a number of its own, so that a kill leaves the one
        before or this one, and once only.
        """
        number = int(self.progress.best_epoch) + 1
        if not str(self._best.latest_checkpoint).endswith(f"-{number}"):
            self._save(self._best, number)

    @property
    def _unsettled_epochs(self) -> int:
        """Epochs that end before all ranks are what they will be."""
        if self._allocation is None:
            return 0
        step = self._allocation.budget.settled_step
        return math.ceil(step / max(1, len(self._batches))) - 1

    def _is_over(self) -> bool:
        done, best = int(self.progress.epoch), int(self.progress.best_epoch)
        best = max(best, self._unsettled_epochs)
        return (
            done >= self._config.epochs or done - best >= self._config.patience
        )

    def _epoch(self, number: int) -> float:
        """Runs one epoch. Returns the mean loss of its steps."""
        total = 0.0
        bar = tqdm(
            self._batches.epoch(number),
            total=len(self._batches),
            desc=f"epoch {number + 1}/{self._config.epochs}",
            unit="step",
            mininterval=1.0,
        )
        for step, batch in enumerate(bar, start=1):
            total += float(self._step(self._distribute(batch)))
            if not math.isfinite(total):
                raise FloatingPointError(
                    f"the loss is no longer a number at step {step} of epoch "
                    f"{number + 1}; lower learning_rate or clip_norm."
                )
            bar.set_postfix(loss=f"{total / step:.4f}", refresh=False)
            if self._refresh:
                self._refresh.after(step, len(self._batches))
        return total / max(1, len(self._batches))

    def _record_start(self, validate: Callable[[], float]) -> None:
        """Notes the model before its first step as that of epoch 0."""
        started = time.monotonic()
        score = validate()
        seconds = time.monotonic() - started
        self.progress.best.assign(score)
        self.progress.seconds.assign_add(seconds)
        self._save(self._best, 0)
        self._note({
            "epoch": 0,
            f"validation_{self._measure}": score,
            "seconds": round(seconds, 2),
        })
        print(f"at the start: validation {self._measure} {score:.4f}")

    def _record(self, loss: float, score: float, seconds: float) -> None:
        """Notes an epoch in the checkpoints, the log and on the screen."""
        progress = self.progress
        progress.epoch.assign_add(1)
        progress.seconds.assign_add(seconds)
        epoch = int(progress.epoch)
        is_best = score > float(progress.best)
        is_best &= epoch > self._unsettled_epochs
        if is_best:
            progress.best.assign(score)
            progress.best_epoch.assign(epoch)
            self._save(self._best, epoch)
        # Before the checkpoint: an epoch that is run again replaces its line.
        self._note({
            "epoch": epoch,
            "loss": loss,
            f"validation_{self._measure}": score,
            "seconds": round(seconds, 2),
            **(self._refresh.note if self._refresh else {}),
        })
        self._save(self._last, epoch)
        with self._log.as_default(step=epoch):
            tf.summary.scalar("train/loss", loss)
            tf.summary.scalar(f"validation/{self._measure}", score)
            tf.summary.scalar("train/seconds_per_epoch", seconds)
        self._log.flush()
        print(
            f"epoch {epoch}: loss {loss:.4f}, validation {self._measure} "
            f"{score:.4f}{' (best)' if is_best else ''}, {seconds:.0f} s"
        )

    def _note(self, line: dict[str, Any]) -> None:
        """Adds an epoch to `history.json`."""
        file = self._history
        past = json.loads(file.read_text()) if file.exists() else []
        earlier = [each for each in past if each["epoch"] < line["epoch"]]
        write_json(file, [*earlier, line])

    def _save(self, manager: tf.train.CheckpointManager, epoch: int) -> None:
        try:
            manager.save(checkpoint_number=epoch)
        except tf.errors.OpError as error:  # what a full disk becomes
            raise OSError(
                f"cannot write a checkpoint to {manager.directory}: "
                f"{error.message}. The one before is intact; make room and "
                "run the same command again."
            ) from error

    def _distribute(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Deals the batch's rows out to the replicas."""
        replicas = self._strategy.num_replicas_in_sync
        if replicas == 1:
            return _tensors(batch)

        def rows(context: tf.distribute.InputReplicaContext) -> Batch:
            first = context.replica_id_in_sync_group
            return _tensors({k: v[first::replicas] for k, v in batch.items()})

        return self._strategy.experimental_distribute_values_from_function(
            rows
        )

    def _distributed_step(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        shares = self._strategy.run(
            train_step,
            args=(
                self.model, batch, self._config.clip_norm, self._allocation,
            ),
        )
        return self._strategy.reduce(
            tf.distribute.ReduceOp.SUM, shares, axis=None
        )


def _tensors(batch: Batch) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in batch.items()}
