"""One training step, four ways to read text: the ratio of their times.

    python -m benchmarks.training_step --data-dir DATA --split leave_one_out

occurrence: the encoder runs on every event of the batch; distinct: on every
distinct item; few: on `--texts-per-step` of these (`--tune full` as it is);
cached: not at all (the default, a frozen encoder). All four score the same
candidates, whose texts were read just before, so their losses are equal.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.reading import read
from trainer.batches import padded_batch
from trainer.behaviour import Windows
from trainer.candidates import events_of
from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.encoder import TextEncoder
from trainer.model import TwoTower
from trainer.model_inputs import ModelInputs
from trainer.optimizer import build_optimizer
from trainer.prepare import Prepared
from trainer.run import Run
from trainer.text_config import TextConfig
from trainer.text_table import TextTable
from trainer.training_step import train_step

_REPEATS = 5


class DistinctTable(TextTable):
    """Reads the text of each item that a step scores."""

    def in_training(self, rows: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
        """As the parent's, of texts as they are."""
        return self._read(tf.gather(self._tokens, rows))


class OccurrenceTable(TextTable):
    """Reads the text of each event, as models without a shared table do.

    Attributes:
        events: [events] int32 items of the batch, which are all that it
            scores.
    """

    events: tf.Tensor

    def in_training(self, rows: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
        """As the parent's, an item's text from one of its events."""
        anew = self._read(tf.gather(self._tokens, self.events))
        event_of = tf.tensor_scatter_nd_update(
            tf.zeros([tf.shape(self._tokens)[0]], tf.int32),
            self.events[:, None],
            tf.range(tf.size(self.events)),
        )
        return tf.gather(anew, tf.gather(event_of, rows))


class DistinctTower(TwoTower):
    """Scores items by texts that `DistinctTable` reads."""

    def __init__(
        self, config: RunConfig, inputs: ModelInputs, encoder: TextEncoder
    ) -> None:
        super().__init__(config, inputs, encoder)
        self._texts = DistinctTable(inputs.text, encoder, 1)


class OccurrenceTower(TwoTower):
    """Scores items by texts that `OccurrenceTable` reads."""

    def __init__(
        self, config: RunConfig, inputs: ModelInputs, encoder: TextEncoder
    ) -> None:
        super().__init__(config, inputs, encoder)
        self._texts: OccurrenceTable = OccurrenceTable(inputs.text, encoder, 1)

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """As the parent's."""
        self._texts.events = events_of(inputs)
        return super().compute_loss(inputs, training)


def same_batch(prepared: Prepared, users: int, length: int) -> dict[str, Any]:
    """The first `length` events of `users` users that have as many.

    Raises:
        ValueError: if nobody has.
    """
    sequences = prepared.sequences
    counts = np.diff(sequences.starts)
    chosen = np.flatnonzero(counts >= length)[:users]
    if not len(chosen):
        raise ValueError(
            f"nobody has {length} events, the most is {counts.max()}; give a "
            "lower --length."
        )
    start = sequences.starts[chosen]
    windows = Windows(chosen.astype(np.int32), start, start + length, start)
    arrays = padded_batch(
        sequences, windows, np.arange(len(chosen)),
        labels=np.full(len(sequences.item), np.nan, np.float32),
        profile_of=np.zeros(sequences.num_users, np.int32),
    )
    arrays = {
        k: v[:, :length] if v.ndim == 2 else v for k, v in arrays.items()
    }
    return {name: tf.constant(value) for name, value in arrays.items()}


def timed_step(
    kind: type[TwoTower], prepared: Prepared, config: RunConfig, folder: Path,
    batch: dict[str, Any],
) -> tuple[float, float]:
    """Loss of the first step and median seconds of the later ones."""
    built, encoder = Run(prepared, config, folder).build(
        tf.distribute.get_strategy()
    )
    tf.keras.utils.set_random_seed(0)
    model = kind(config, built.tables, encoder)
    model.refresh_texts()
    return step_seconds(model, config.training, batch)


def step_seconds(
    model: TwoTower, settings: TrainingConfig, batch: dict[str, Any]
) -> tuple[float, float]:
    """Loss of the first step and median seconds of the later ones."""
    model.optimizer = build_optimizer(settings, 100)
    model.compute_loss(batch)
    model.optimizer.build(model.trainable_variables)
    step: Callable[..., Any] = tf.function(train_step)
    loss = float(step(model, batch, 1.0))
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        float(step(model, batch, 1.0))
        seconds.append(time.perf_counter() - started)
    return loss, statistics.median(seconds)


def main() -> None:
    """Prints one line per way, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--split", default="time")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--text-encoder", default="tiny")
    asked = parser.parse_args()
    frozen = RunConfig(
        data=DataConfig(split=asked.split),
        text=TextConfig(text_encoder=asked.text_encoder, max_tokens=64),
        model=ModelConfig(dropout=0.0, id_dropout=0.0),
        training=TrainingConfig(num_negatives=0, full_softmax_items=0),
    )
    tuned = dataclasses.replace(
        frozen, text=dataclasses.replace(frozen.text, tune="full")
    )
    prepared = read(asked.data_dir, frozen)
    batch = same_batch(prepared, asked.users, asked.length)
    distinct = len(np.unique(batch["item"]))
    print(f"{len(batch['item'])} users, {batch['item'].shape[1]} events each, "
          f"{distinct} distinct items, encoder {asked.text_encoder}")
    ways = {
        "occurrence": (OccurrenceTower, tuned),
        "distinct": (DistinctTower, tuned),
        "few": (TwoTower, tuned),
        "cached": (TwoTower, frozen),
    }
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, config) in ways.items():
            loss, seconds[name] = timed_step(
                kind, prepared, config, Path(folder), batch
            )
            ratio = seconds["occurrence"] / seconds[name]
            print(f"{name:>10}: loss {loss:.5f}, median "
                  f"{seconds[name]:.4f} s, {ratio:.1f} times as fast")


if __name__ == "__main__":
    main()
