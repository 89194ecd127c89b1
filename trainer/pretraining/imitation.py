"""Distillation: a student learns to give its teacher's text vectors.

The student reads the teacher's own vector of each text (Reimers & Gurevych,
arXiv 2004.09813; of unit vectors their squared error is twice 1 - cosine). A
student of another width learns it behind a fixed map of the teacher's side,
so that nothing is learnt that is thrown away later. Axes: B texts, L word
pieces, T the teacher's width, S the student's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoder import mean_of_tokens
from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.language_model import read_states
from trainer.pretraining.token_batches import TokenTable, batches_by_tokens


def width_map(vectors: np.ndarray, width: int) -> np.ndarray:
    """The map into another width that keeps inner products best.

    Onto the leading right singular vectors (Eckart & Young 1936: no other map
    of this rank keeps the matrix of inner products nearer), then turned by a
    fixed random rotation: layer normalisation gives components of one size,
    and those of singular vectors differ. A wider student keeps them exactly.

    Args:
        vectors: [texts, T] float32.
        width: S.

    Returns:
        [T, S] float32 with orthonormal columns, or rows where S > T.
    """
    wide = vectors.astype(np.float64)
    _, axes = np.linalg.eigh(wide.T @ wide)  # ascending
    # Of an axis and its opposite the same one, whatever the last digits are.
    largest = np.abs(axes).argmax(axis=0, keepdims=True)
    axes *= np.sign(np.take_along_axis(axes, largest, axis=0))
    kept = min(width, len(axes))
    noise = np.random.default_rng(0).normal(size=(width, width))
    rotation, _ = np.linalg.qr(noise)
    return (axes[:, -kept:] @ rotation[:kept]).astype(np.float32)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """[texts, dim] float32 of length 1; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)


class ImitationStage:
    """Training to give the vectors that a teacher gives.

    Args:
        model: a TensorFlow `...ForMaskedLM`; its head is not used.
        table: word pieces of the texts.
        wanted: [texts, S] float32, unit length.
        config: batches, passes and seed.

    Attributes:
        name: of the stage's checkpoints.
        epochs: passes over the texts.
    """

    name = "distillation"

    def __init__(
        self,
        model: Any,
        table: TokenTable,
        wanted: np.ndarray,
        config: PretrainingConfig,
    ) -> None:
        self._model, self._table = model, table
        self._wanted, self._config = wanted, config
        self._pad_id = int(model.config.pad_token_id)
        self.epochs = config.distillation_passes

    def _draw(self, epoch: int) -> list[np.ndarray]:
        generator = np.random.default_rng([self._config.seed, epoch])
        return batches_by_tokens(
            self._table.lengths, self._config.batch_tokens, generator
        )

    def steps(self, epoch: int) -> int:
        """Batches of an epoch."""
        return len(self._draw(epoch))

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        """Batches of one epoch, the same for one seed."""
        for rows in self._draw(epoch):
            yield self._table.rows(rows).ids, self._wanted[rows]

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """Shapes of a batch."""
        return (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, self._wanted.shape[1]], tf.float32),
        )

    def loss(self, *batch: tf.Tensor, training: bool = True) -> tf.Tensor:
        """Mean of 1 - cosine with the teacher, scalar float32.

        Without dropout, in training too: what is wanted of a text has no
        noise, and a small student has no capacity to spare.
        """
        ids, wanted = batch
        states = read_states(self._model, ids, training=False)
        found = mean_of_tokens(states, ids, self._pad_id)  # [B, S]
        return 1 - tf.reduce_mean(tf.reduce_sum(found * wanted, axis=1))
