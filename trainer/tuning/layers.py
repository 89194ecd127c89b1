"""Small layers around those of a BERT that is kept as it is.

Each gives exactly what the wrapped layer gives until it has been trained.
Axes: B texts, L word pieces, W width, R rank, H heads, P prefix.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_SPREAD = 0.02  # of new weights, as of BERT's own


class LoraDense(tf.keras.layers.Layer):
    """y = base(x) + x A B (Hu et al., arXiv 2106.09685); B starts at zero.

    Args:
        base: a Keras `Dense` that has its weights.
        rank: columns of A.
    """

    def __init__(self, base: tf.keras.layers.Dense, rank: int) -> None:
        super().__init__(name=f"{base.name}_lora")
        self.base = base
        rows, columns = base.kernel.shape
        self.down = self.add_weight(
            "down", [rows, rank], initializer=_normal()
        )
        self.up = self.add_weight("up", [rank, columns], initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[..., W] -> [..., columns]."""
        return self.base(inputs) + tf.matmul(
            tf.matmul(inputs, self.down), self.up
        )

    def merge(self) -> tf.keras.layers.Dense:
        """The base with A B in its kernel.

        B becomes zero, so that whoever still calls this layer gets the same.
        """
        self.base.kernel.assign_add(tf.matmul(self.down, self.up))
        self.up.assign(tf.zeros_like(self.up))
        return self.base


class SvdDense(tf.keras.layers.Layer):
    """y = base(x) + x P diag(values) Q (Zhang et al., arXiv 2303.10512).

    The values start at zero. P and Q start orthonormal, which is what their
    penalty asks for; the paper starts them as small random numbers.

    Args:
        base: a Keras `Dense` that has its weights.
        rank: columns of P.
    """

    def __init__(self, base: tf.keras.layers.Dense, rank: int) -> None:
        super().__init__(name=f"{base.name}_svd")
        self.base = base
        rows, columns = base.kernel.shape
        if rank > min(rows, columns):
            raise ValueError(
                f"tune_size asks for a rank of {rank}, but a kernel of this "
                f"encoder has {rows} rows and {columns} columns; lower it."
            )
        self.left = self.add_weight(
            "left", [rows, rank], initializer=_orthonormal()
        )
        self.values = self.add_weight(
            "values", [rank], initializer="zeros",
            # Replicas cut it, all alike.
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self.right = self.add_weight(
            "right", [rank, columns], initializer=_orthonormal()
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[..., W] -> [..., columns]."""
        inner = tf.matmul(inputs, self.left) * self.values
        return self.base(inputs) + tf.matmul(inner, self.right)

    def merge(self) -> tf.keras.layers.Dense:
        """The base with P diag(values) Q in its kernel.

        The values become zero, for whoever still calls this layer.
        """
        self.base.kernel.assign_add(
            tf.matmul(self.left * self.values, self.right)
        )
        self.values.assign(tf.zeros_like(self.values))
        return self.base


class AdapterDense(tf.keras.layers.Layer):
    """y = base(x), then y + up(gelu(down(y))) (Houlsby et al., 1902.00751).

    Args:
        base: a Keras `Dense` that has its weights.
        width: of the bottleneck.
    """

    def __init__(self, base: tf.keras.layers.Dense, width: int) -> None:
        super().__init__(name=f"{base.name}_adapter")
        self.base = base
        columns = base.kernel.shape[1]
        self.down = self.add_weight(
            "down", [columns, width], initializer=_normal()
        )
        self.down_bias = self.add_weight(
            "down_bias", [width], initializer="zeros"
        )
        self.up = self.add_weight("up", [width, columns], initializer="zeros")
        self.up_bias = self.add_weight(
            "up_bias", [columns], initializer="zeros"
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[..., W] -> [..., columns]."""
        outputs = self.base(inputs)
        inner = tf.nn.gelu(tf.matmul(outputs, self.down) + self.down_bias)
        return outputs + tf.matmul(inner, self.up) + self.up_bias


class PrefixAttention(tf.keras.layers.Layer):
    """Self-attention that also looks at trained keys and values.

    Prefix-tuning (Li and Liang, arXiv 2101.00190) puts keys and values before
    those of the text. Even untrained ones would draw attention to themselves:
    here they have a softmax of their own, behind one gate per head that
    starts at zero (Zhang et al., arXiv 2303.16199).

    Args:
        base: self-attention of a TensorFlow BERT.
        length: keys and values of the prefix.
    """

    def __init__(self, base: Any, length: int) -> None:
        super().__init__(name=f"{base.name}_prefix")
        self.base = base
        heads, size = base.num_attention_heads, base.attention_head_size
        shape = [heads, length, size]
        self.keys = self.add_weight("keys", shape, initializer=_normal())
        self.values = self.add_weight("values", shape, initializer=_normal())
        self.gates = self.add_weight("gates", [heads], initializer="zeros")

    def call(
        self, hidden_states: tf.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[tf.Tensor, ...]:
        """[B, L, W] and what the base takes -> what it returns."""
        context, *others = self.base(hidden_states, *args, **kwargs)
        base, batch = self.base, tf.shape(hidden_states)[0]
        queries = base.transpose_for_scores(
            base.query(inputs=hidden_states), batch
        )  # [B, H, L, size]
        scores = tf.einsum("bhls,hps->bhlp", queries, self.keys)
        scores /= tf.cast(base.sqrt_att_head_size, scores.dtype)
        found = tf.einsum(
            "bhlp,hps->blhs", tf.nn.softmax(scores), self.values
        )
        found *= tf.tanh(self.gates)[:, None]
        return (context + tf.reshape(found, tf.shape(context)), *others)


def _normal() -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.TruncatedNormal(stddev=_SPREAD)


def _orthonormal() -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.Orthogonal()  # one draw: a new one each time
