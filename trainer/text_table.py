"""Vectors of a table of texts, and how a tuned encoder keeps them near."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from trainer.encoder import TextEncoder
from trainer.replicas import gathered
from trainer.tuning.recompute import recomputing


class TextTable:
    """Vectors of texts by row; a frozen encoder has read each of them once.

    A tuned encoder has read them at the last `refresh`. A training step reads
    a few anew and learns through these; all others stand as they were, as the
    items of an index stand between two of its builds (ANCE, Xiong et al.,
    ICLR 2021). So a step costs a few texts, not those of all it scores.

    Args:
        rows: [texts, T] float32 vectors, or [texts, tokens] int32 ids that
            the encoder reads.
        encoder: the text encoder.
        per_step: texts that a training step reads anew at most.
        recompute: whether they are read in less memory and more time.
    """

    def __init__(
        self,
        rows: np.ndarray,
        encoder: TextEncoder,
        per_step: int,
        *,
        recompute: bool = False,
    ) -> None:
        self._encoder, self._per_step = encoder, per_step
        self._recompute = recompute
        self._tokens = None
        if rows.dtype != np.int32:
            self._vectors = tf.constant(rows)
            return
        self._tokens = tf.constant(rows)
        self._vectors = tf.Variable(
            tf.zeros([len(rows), encoder.dim]), trainable=False
        )

    def at(self, rows: tf.Tensor) -> tf.Tensor:
        """[n] int rows -> [n, T] vectors as they were last read."""
        return tf.gather(self._vectors, rows)

    def in_training(
        self, rows: tf.Tensor, present: tf.Tensor, draw: tf.Tensor
    ) -> tf.Tensor:
        """As `at`, with some texts of the batch read anew.

        Args:
            rows: [n] int32.
            present: [events] int32 rows of this replica's part of the batch;
                all replicas read the same ones anew.
            draw: [2] int32 seed of which.

        Returns:
            [n, T] float32.
        """
        if self._tokens is None:
            return self.at(rows)
        distinct, _ = tf.unique(gathered(present))
        few = tf.random.experimental.stateless_shuffle(distinct, draw)
        return self._with_anew(rows, few[: self._per_step])

    def _with_anew(self, rows: tf.Tensor, few: tf.Tensor) -> tf.Tensor:
        """[n, T] vectors at [n] rows, those of `few` read anew."""
        tokens = tf.gather(self._tokens, few)
        is_token = tf.cast(tokens != self._encoder.pad_id, tf.int32)
        width = tf.reduce_max(tf.reduce_sum(is_token, axis=1))
        with (
            recomputing(self._encoder.bert)
            if self._recompute
            else contextlib.nullcontext()
        ):
            anew = self._encoder.pool(tokens[:, : tf.maximum(width, 1)])
        place = tf.tensor_scatter_nd_update(
            tf.zeros([tf.shape(self._tokens)[0]], tf.int32),
            few[:, None],
            1 + tf.range(tf.size(few)),
        )
        place = tf.gather(place, rows)  # 0 for texts that stand as they were
        read = tf.gather(tf.pad(anew, [[1, 0], [0, 0]]), place)
        return tf.where(place[:, None] > 0, read, self.at(rows))

    def refresh(self) -> float:
        """Reads all texts with the encoder as it is.

        Returns:
            How far they had moved: the mean of 1 - cosine with what each was
            before; 0 for a frozen encoder, and where no text says anything.
        """
        if self._tokens is None:
            return 0.0
        with tqdm(
            total=len(self._tokens), unit=" texts", desc="texts", leave=False,
            mininterval=1.0,
        ) as bar:
            new = self._encoder.pool_table(self._tokens.numpy(), bar.update)
        # Of unit vectors, exact where 1 - cosine would cancel.
        moved = np.square(new - self._vectors.numpy()).sum(axis=1) / 2
        self._vectors.assign(new)
        has_text = new.any(axis=1)
        return float(moved[has_text].mean()) if has_text.any() else 0.0


class Refresh:
    """When tables of texts are read anew in training.

    After each epoch, and every so many steps within one.

    Args:
        read: reads them; returns how far they had moved.
        every: steps; 0 for none within an epoch.

    Attributes:
        moved: how far they had, the last time.
    """

    def __init__(self, read: Callable[[], float], every: int) -> None:
        self._read, self._every = read, every
        self.moved = 0.0

    def after(self, step: int, steps: int) -> None:
        """Reads them if step `step` of an epoch of `steps` calls for it."""
        if step == steps or (self._every and step % self._every == 0):
            self.now()

    def now(self) -> None:
        """Reads them."""
        self.moved = self._read()
