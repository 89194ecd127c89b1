"""Texts as the encoder sees them, beside what the towers make of them.

What the towers learn of a text is learnt on known items, and says less of
items with few events than the plain nearness of texts does. So vectors have
two parts, which are weighed on held-out events once the towers are trained:

    item  = [sqrt(1 - w) u, sqrt(w) t]
    query = [sqrt(1 - w) q, sqrt(w) unit(mean t of recent items)]
    item . query = (1 - w) cos(u, q) + w cos(t, mean t)

where u and q are the towers' vectors and t is the text's. Without the text on
a side, w is 0 there. Trained together with the towers, the same part only
helped them to fit the train events (`benchmarks/README.md`).

Axes: D width of the learnt part, K of the text part, T of a text vector.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

_FIRST_SHARE = 0.1  # before it is weighed
_LEAST = 1e-6  # variance of a direction against the greatest; noise below


class TextPart(tf.keras.layers.Layer):
    """Joins the two parts of vectors, and takes them apart.

    Args:
        learnt_dim: D.
        text_dim: T, width of the encoder's vectors.
        dim: K; 0 for vectors without this part.
        new_item_scale: length of the vectors of items without train events.

    Attributes:
        share_logit: of w.
        new_item_log_scale: of that length.
    """

    def __init__(
        self, learnt_dim: int, text_dim: int, dim: int, new_item_scale: float
    ) -> None:
        # No step of training changes this: `trainer.calibration` does.
        super().__init__(name="text_part", dtype="float32", trainable=False)
        self.learnt_dim, self.dim = learnt_dim, dim
        self.mean = self.add_weight("mean", [text_dim], initializer="zeros")
        self.axes = self.add_weight(
            "axes", [text_dim, dim], initializer="zeros"
        )
        self.share_logit = self._number("share_logit")
        self.new_item_log_scale = self._number("new_item_log_scale")
        self._new_item_scale = new_item_scale
        self.reset()

    def _number(self, name: str) -> tf.Variable:
        # Not drawn: that would change what is drawn for the towers.
        return self.add_weight(name, [], initializer="zeros")

    def reset(self) -> None:
        """Weighs both parts, and new items, as before any validation."""
        self.share_logit.assign(math.log(_FIRST_SHARE / (1 - _FIRST_SHARE)))
        self.new_item_log_scale.assign(math.log(self._new_item_scale))

    def learn_axes(self, text_vectors: np.ndarray) -> None:
        """Finds the directions in which the catalogue's texts differ most.

        The K first principal axes, each divided by the square root of the
        standard deviation along it: half of whitening (Su et al. 2021, arXiv
        2103.15316), so that what all texts share weighs less.

        Args:
            text_vectors: [n, T] of items; zeros where there is no text.
        """
        texts = text_vectors[np.any(text_vectors != 0, axis=1)]
        if not self.dim or not len(texts):
            return
        mean = texts.mean(axis=0, dtype=np.float64)
        apart = texts - mean
        variances, axes = np.linalg.eigh(apart.T @ apart / len(texts))
        variances, axes = variances[::-1][: self.dim], axes[:, ::-1]
        is_real = variances > _LEAST * max(variances[0], _LEAST)
        weights = np.zeros(self.dim)
        weights[is_real] = variances[is_real] ** -0.25
        self.mean.assign(mean)
        self.axes.assign(axes[:, : self.dim] * weights)

    def read(self, text_vectors: tf.Tensor) -> tf.Tensor:
        """[..., T] -> [..., K] float32, unit length; zeros for no text."""
        text_vectors = tf.cast(text_vectors, tf.float32)
        has_text = tf.reduce_any(text_vectors != 0, axis=-1, keepdims=True)
        read = tf.matmul(text_vectors - self.mean, self.axes)
        return tf.where(has_text, tf.math.l2_normalize(read, axis=-1), 0.0)

    def join(self, learnt: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
        """Weighs both parts.

        Args:
            learnt: [..., D] float32, unit length.
            texts: [..., K] float32, of any length; zeros for no text.

        Returns:
            [..., D + K] float32, unit length.
        """
        texts = tf.math.l2_normalize(texts, axis=-1)
        share = self.share_of(has_text(texts))[..., tf.newaxis]
        parts = [tf.sqrt(1 - share) * learnt, tf.sqrt(share) * texts]
        return tf.concat(parts, axis=-1)

    def split(self, vectors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The inverse of `join`, also of what is `scaled`.

        Args:
            vectors: [..., D + K].

        Returns:
            [..., D] and [..., K], each of unit length or zeros.
        """
        learnt, texts = tf.split(vectors, [self.learnt_dim, self.dim], axis=-1)
        return (
            tf.math.l2_normalize(learnt, axis=-1),
            tf.math.l2_normalize(texts, axis=-1),
        )

    def share_of(self, has_text: tf.Tensor) -> tf.Tensor:
        """[...] bool -> [...] float32, the w of each."""
        return tf.where(has_text, tf.sigmoid(self.share_logit), 0.0)

    def scaled(self, vectors: tf.Tensor, id_trust: tf.Tensor) -> tf.Tensor:
        """Lengthens the vectors of new items, so that they are found.

        Towers are surer of the items that they know: a new item among new
        ones is ranked well, and beside known ones too low.

        Args:
            vectors: [C, D + K] of items.
            id_trust: [C] how much their ids count; 0 of new items.
        """
        is_new = (id_trust == 0)[:, tf.newaxis]
        return tf.where(is_new, tf.exp(self.new_item_log_scale), 1.0) * vectors


def has_text(texts: tf.Tensor) -> tf.Tensor:
    """[..., K] text parts -> [...] bool."""
    return tf.reduce_any(texts != 0, axis=-1)
