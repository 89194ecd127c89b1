"""Long- and short-term interest: running means of what a user chose.

An LSTM's state has to hold everything at once. Beside it stand means of the
item vectors themselves, over different stretches of time, each updated in one
step by one event, so that a served state stays small and `advance` O(1).

Axes: B users, L events, P parts, D width of an item vector.
"""

from __future__ import annotations

import math

import tensorflow as tf

from trainer.behaviour import NUM_GAPS
from trainer.config import ModelConfig

# Share of a mean that stays when an event comes, before training.
_FIRST_KEEP = {"short": 0.5, "long": 0.9}


class Interests(tf.keras.layers.Layer):
    """The last item, a short and a long mean, and how far each counts.

        mean_t = keep_t mean_{t-1} + (1 - keep_t) item_t
        keep_t = sigmoid(logit[part, gap bucket of event t])

    `last` is the mean that keeps nothing. How much an event pushes out depends
    on the time since the one before, so a pause can end a short interest (as
    the time gates of Phased LSTM, Neil et al. 2016, and of Time-LSTM, Zhu et
    al. 2017). A gate per part looks at the LSTM's state.

    Args:
        config: which parts there are, and sizes.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(name="interests", dtype="float32")
        self.parts = config.interest_parts
        self.dim = config.embedding_dim
        first = [
            math.log(_FIRST_KEEP[part] / (1 - _FIRST_KEEP[part]))
            for part in self._means
        ]
        self.keep_logits = self.add_weight(
            "keep_logits",
            [NUM_GAPS, len(first)],
            initializer=tf.constant_initializer([first] * NUM_GAPS),
        )
        self.scale = self.add_weight(
            "scale", [len(self.parts), self.dim], initializer="ones"
        )
        # All parts count alike until training finds a difference.
        self.gate = tf.keras.layers.Dense(
            len(self.parts),
            kernel_initializer="zeros",
            dtype="float32",
            name="gate",
        )

    @property
    def _means(self) -> list[str]:
        return [part for part in self.parts if part != "last"]

    def start(self, items: tf.Tensor) -> tf.Tensor:
        """[B, D] item that a profile imagines -> [B, P, D] before any event."""
        return tf.repeat(items[:, None], len(self.parts), axis=1)

    def read(
        self, items: tf.Tensor, gap: tf.Tensor, start: tf.Tensor
    ) -> tf.Tensor:
        """All parts before the first event and after each.

        Args:
            items: [B, L, D] float32, unit vectors of the events' items.
            gap: [B, L] int32 bucket of the time since the event before.
            start: [B, P, D] before the first of them.

        Returns:
            [B, 1 + L, P, D] float32.
        """
        columns = {part: at for at, part in enumerate(self._means)}
        after = [tf.zeros_like(items)[:, :, None][:, :, :0]]  # without parts
        for number, part in enumerate(self.parts):
            means = items
            if part in columns:
                logits = tf.gather(self.keep_logits[:, columns[part]], gap)
                means = _running_mean(items, logits, start[:, number])
            after.append(means[:, :, None])
        return tf.concat([start[:, None], tf.concat(after, axis=2)], axis=1)

    def recent(self, parts: tf.Tensor) -> tf.Tensor:
        """[N, P, W] parts -> [N, W], the short mean or what there is of them.

        Zeros where there is none.
        """
        if not self.parts:
            return tf.reduce_sum(parts, axis=1)
        at = self.parts.index("short") if "short" in self.parts else 0
        return parts[:, at]

    def call(self, hidden: tf.Tensor, parts: tf.Tensor) -> tf.Tensor:
        """What the parts add to a query.

        Args:
            hidden: [N, U] LSTM states.
            parts: [N, P, D] as `read` gives them.

        Returns:
            [N, D] float32.
        """
        gates = 2.0 * tf.sigmoid(self.gate(hidden))  # [N, P], 1 at first
        directions = tf.math.l2_normalize(parts, axis=-1)
        return tf.einsum("np,pd,npd->nd", gates, self.scale, directions)


def _running_mean(
    items: tf.Tensor, logits: tf.Tensor, start: tf.Tensor
) -> tf.Tensor:
    """mean_t = keep_t mean_{t-1} + (1 - keep_t) item_t, without a loop.

    Args:
        items: [B, L, D].
        logits: [B, L] of keep.
        start: [B, D] mean_0.

    Returns:
        [B, L, D] means after each event.
    """
    kept = tf.cumsum(tf.math.log_sigmoid(logits), axis=1)  # log, since start
    enters = tf.sigmoid(-logits)  # 1 - keep
    since = kept[:, :, None] - kept[:, None, :]  # [B, after t, entered at j]
    weights = tf.exp(tf.minimum(since, 0.0)) * enters[:, None, :]
    weights = tf.linalg.band_part(weights, -1, 0)
    means = tf.matmul(weights, items)
    return means + tf.exp(kept)[:, :, None] * start[:, None]
