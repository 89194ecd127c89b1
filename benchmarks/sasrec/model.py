"""SASRec (Kang and McAuley, ICDM 2018), trained by a softmax over all items.

The full cross-entropy instead of one sampled negative is what the height of
the figures depends on most (Klenitskiy and Vasilev, RecSys 2023).

Axes: B windows, L events, D width, N targets.
"""

from __future__ import annotations

import tensorflow as tf

from benchmarks.sasrec.config import SasRecConfig
from trainer.batches import SIGNATURE

Tensors = dict[str, tf.Tensor]


class Block(tf.keras.layers.Layer):
    """x + attention(norm(x)), then x + feed-forward(norm(x)).

    Args:
        config: sizes and rates.
    """

    def __init__(self, config: SasRecConfig) -> None:
        super().__init__()
        layers = tf.keras.layers
        self.attention_norm = layers.LayerNormalization(epsilon=1e-6)
        self.attention = layers.MultiHeadAttention(
            config.heads, config.dim // config.heads, dropout=config.dropout
        )
        self.attention_dropout = layers.Dropout(config.dropout)
        self.feed_forward = tf.keras.Sequential([
            layers.LayerNormalization(epsilon=1e-6),
            layers.Dense(config.dim, activation="relu"),
            layers.Dropout(config.dropout),
            layers.Dense(config.dim),
            layers.Dropout(config.dropout),
        ])

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[B, L, D] -> [B, L, D]; no event sees a later one."""
        normed = self.attention_norm(x)
        attended = self.attention(
            normed, normed, use_causal_mask=True, training=training
        )
        x += self.attention_dropout(attended, training=training)
        return x + self.feed_forward(x, training=training)


class SasRec(tf.keras.Model):
    """Self-attention over a user's items; its item table is also the output.

    Args:
        config: sizes and rates.
        num_items: size of the catalogue.

    Attributes:
        config: as given.
        items: [items, D] float32 variable.
    """

    def __init__(self, config: SasRecConfig, num_items: int) -> None:
        super().__init__()
        self.config = config
        self.items = self._table("items", num_items)
        self.positions = self._table("positions", config.max_length)
        self.dropout = tf.keras.layers.Dropout(config.dropout)
        self.blocks = [Block(config) for _ in range(config.blocks)]
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self(tf.zeros([1, 1], tf.int32))  # makes the variables

    def _table(self, name: str, rows: int) -> tf.Variable:
        narrow = tf.keras.initializers.RandomNormal(stddev=0.02)
        shape = [rows, self.config.dim]
        return self.add_weight(name, shape, initializer=narrow)

    def call(self, items: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[B, L] int32 codes -> [B, L, D] states after each event.

        Padding follows the events, so none of them sees it.
        """
        length, dim = tf.shape(items)[1], self.items.shape[1]
        x = tf.gather(self.items, items) * dim**0.5 + self.positions[:length]
        x = self.dropout(x, training=training)
        for block in self.blocks:
            x = block(x, training=training)
        return self.norm(x)

    def compute_targets_loss(
        self, batch: Tensors, training: bool = False
    ) -> tf.Tensor:
        """Mean cross-entropy of the targets that have an event before them.

        Args:
            batch: tensors of `trainer.batches.SIGNATURE`.
            training: whether dropout is on.

        Returns:
            Scalar float32, 0 where there is no such target.
        """
        kept = self.config.max_length + 1  # padding may go beyond
        items = batch["item"][:, :kept]
        is_target = batch["is_target"][:, 1:kept]
        states = self(items[:, :-1], training=training)
        asked = tf.boolean_mask(states, is_target)  # [N, D]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.boolean_mask(items[:, 1:], is_target),
            logits=tf.matmul(asked, self.items, transpose_b=True),
        )
        count = tf.cast(tf.size(losses), tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(losses), count)

    @tf.function(input_signature=[SIGNATURE])
    def queries(self, batch: Tensors) -> tf.Tensor:
        """[B, D] states after each window's last event, zeros without one."""
        states = self(batch["item"][:, : self.config.max_length])
        last = tf.maximum(batch["length"] - 1, 0)[:, None]
        states = tf.gather(states, last, batch_dims=1)[:, 0]
        return tf.where(batch["length"][:, None] > 0, states, 0.0)

    @tf.function(input_signature=[SIGNATURE])
    def fit_step(self, batch: Tensors) -> tf.Tensor:
        """One step of the optimizer. Returns the loss before it."""
        with tf.GradientTape() as tape:
            loss = self.compute_targets_loss(batch, training=True)
        variables = self.trainable_variables
        self.optimizer.minimize(loss, variables, tape=tape)
        return loss
