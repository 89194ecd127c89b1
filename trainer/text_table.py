"""Vectors of a table of texts, and how a tuned encoder learns by them."""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from trainer.encoder import TextEncoder
from trainer.tuning.recompute import recomputing

_LOOKED_AT = 64  # texts, a batch of the encoder's


class TextTable:
    """Vectors of texts by row; a frozen encoder has read each of them once.

    A tuned encoder has read them at the last `refresh`, and a step scores
    them as they stood then, as the items of an index stand between two of its
    builds (ANCE, Xiong et al., ICLR 2021). The loss's gradient by each of the
    vectors is taken where they stand (as in Gao et al., arXiv 2101.06983) and
    carried on through the encoder for a few texts, drawn by its size (as in
    Katharopoulos & Fleuret, arXiv 1803.00942) and weighed so that the encoder
    learns in the mean as if it had read all that are scored.

    Args:
        rows: [texts, T] float32 vectors, or [texts, tokens] int32 ids that
            the encoder reads.
        encoder: the text encoder.
        per_step: texts that a training step reads anew at most, on each
            replica.
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

    def in_training(self, rows: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
        """As `at`, with a gradient by the weights of a tuned encoder.

        Args:
            rows: [n] int32.
            draw: [2] int32 seed of the texts that the gradient is taken by.

        Returns:
            [n, T] float32.
        """
        if self._tokens is None:
            return self.at(rows)

        # TensorFlow keeps gradients of graphs for as long as it lives; they
        # are not to keep the encoder.
        table = weakref.proxy(self)

        @tf.custom_gradient
        def vectors(*_: tf.Tensor) -> tuple[tf.Tensor, Any]:
            def by_weights(by_vectors: tf.Tensor) -> list[tf.Tensor]:
                return table._by_weights(rows, by_vectors, draw)

            return table.at(rows), by_weights

        return vectors(*map(tf.convert_to_tensor, self._encoder.tuned_weights))

    def _by_weights(
        self, rows: tf.Tensor, by_vectors: tf.Tensor, draw: tf.Tensor
    ) -> list[tf.Tensor]:
        """The gradient by each tuned weight, of that by [n] rows' vectors."""
        texts, text_of = tf.unique(rows)
        by_text = tf.math.unsorted_segment_sum(
            by_vectors, text_of, tf.size(texts)
        )
        tokens = tf.gather(self._tokens, texts)
        has_text = tf.cast(tokens[:, 0] != self._encoder.pad_id, tf.float32)
        few, scale = drawn_by_size(
            has_text * tf.norm(by_text, axis=1), self._per_step, draw
        )
        weights = self._encoder.tuned_weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            anew = self._read(tf.gather(tokens, few))
        found = tape.gradient(
            anew, weights,
            output_gradients=scale[:, None] * tf.gather(by_text, few),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return [tf.convert_to_tensor(gradient) for gradient in found]

    def _read(self, tokens: tf.Tensor) -> tf.Tensor:
        """[n, tokens] -> [n, T] vectors by the encoder as it is."""
        is_token = tf.cast(tokens != self._encoder.pad_id, tf.int32)
        width = tf.reduce_max(tf.reduce_sum(is_token, axis=1))
        with (
            recomputing(self._encoder.bert)
            if self._recompute
            else contextlib.nullcontext()
        ):
            return self._encoder.pool(tokens[:, : tf.maximum(width, 1)])

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
        moved = _mean_moved(new, self._vectors.numpy())
        self._vectors.assign(new)
        return moved

    def moved(self) -> float:
        """How far texts have moved since `refresh`, by some of them."""
        if self._tokens is None:
            return 0.0
        rows = np.unique(
            np.linspace(0, len(self._tokens) - 1, _LOOKED_AT, dtype=np.int32)
        )
        new = self._encoder.pool_table(tf.gather(self._tokens, rows).numpy())
        return _mean_moved(new, self.at(rows).numpy())


def _mean_moved(new: np.ndarray, old: np.ndarray) -> float:
    """Mean of 1 - cosine of [n, T] unit vectors, or zeros for no text."""
    # Of unit vectors, exact where 1 - cosine would cancel.
    moved = np.square(new - old).sum(axis=1) / 2
    has_text = new.any(axis=1)
    return float(moved[has_text].mean()) if has_text.any() else 0.0


def drawn_by_size(
    sizes: tf.Tensor, count: int, draw: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws some of many terms, so that their sum is kept in the mean.

    The sum of sizes is cut into `count` equal stretches, and the term at a
    point of each is drawn: those of the largest sizes the most often.

    Args:
        sizes: [n] float32 of the terms, none negative.
        count: of points.
        draw: [2] int32 seed.

    Returns:
        [d] int32 distinct terms, d <= `count`, and [d] float32 what each of
        them is to be multiplied by.
    """
    ends = tf.cumsum(tf.cast(sizes, tf.float64))
    points = tf.random.stateless_uniform([count], draw, dtype=tf.float64)
    points = (tf.range(count, dtype=tf.float64) + points) / count * ends[-1]
    at = tf.minimum(tf.searchsorted(ends, points), tf.size(sizes) - 1)
    terms, _, times = tf.unique_with_counts(at)
    often = count * tf.gather(sizes, terms)
    total = tf.cast(ends[-1], tf.float32)
    return terms, tf.math.divide_no_nan(
        tf.cast(times, tf.float32) * total, often
    )
