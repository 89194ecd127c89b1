"""Contrastive training: texts that belong together against all others.

InfoNCE (van den Oord et al., arXiv 1807.03748) on the vectors that the
recommender reads: the mean over a text's pieces, unit length. Axes: P pairs,
A and B distinct texts on either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.encoder import mean_of_tokens
from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.language_model import read_states
from trainer.pretraining.masking import drop_words
from trainer.pretraining.pairs import PairTexts, as_batches
from trainer.pretraining.token_batches import TokenTable


class ContrastiveStage:
    """Training to tell the text that goes with a text.

    Args:
        model: a TensorFlow `...ForMaskedLM`; its head is not used.
        pairs: which texts belong together.
        table: word pieces of `pairs.texts`.
        config: sizes, temperature and seed.

    Attributes:
        name: of the stage's checkpoints.
        epochs: drawings of pairs.
    """

    name = "contrastive"

    def __init__(
        self,
        model: Any,
        pairs: PairTexts,
        table: TokenTable,
        config: PretrainingConfig,
    ) -> None:
        self._model, self._pairs = model, pairs
        self._table, self._config = table, config
        self._pad_id = int(model.config.pad_token_id)
        self.epochs = config.contrastive_epochs

    def _draw(self, epoch: int) -> list[np.ndarray]:
        config = self._config
        generator = np.random.default_rng([config.seed, epoch])
        pairs = self._pairs.draw(
            config.pair_distance, config.view_share, config.max_pairs,
            generator,
        )
        return as_batches(pairs, config.batch_pairs)

    def steps(self, epoch: int) -> int:
        """Batches of an epoch."""
        return len(self._draw(epoch))

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        """Batches of one epoch, the same for one seed.

        Each text is read once per side and batch, however many pairs it is
        in. Yields ids of both sides' texts [A + B, L], and of each pair the
        places [P] among those of its side.
        """
        generator = np.random.default_rng([self._config.seed, epoch, 1])
        for pairs in self._draw(epoch):
            (first, left), (second, right) = (
                np.unique(side, return_inverse=True) for side in pairs.T
            )
            ids = drop_words(
                self._table.rows(np.concatenate([first, second])),
                self._config.dropped_share, self._pad_id, generator,
            )
            yield ids, left.astype(np.int32), right.astype(np.int32)

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """Shapes of a batch."""
        return (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        )

    def loss(self, *batch: tf.Tensor, training: bool = True) -> tf.Tensor:
        """InfoNCE in both directions, scalar float32."""
        ids, left, right = batch
        states = read_states(self._model, ids, training)
        vectors = mean_of_tokens(states, ids, self._pad_id)
        num_left = tf.reduce_max(left) + 1
        cosines = tf.matmul(
            vectors[:num_left], vectors[num_left:], transpose_b=True
        )
        logits = cosines / self._config.contrastive_temperature  # [A, B]
        there = pair_loss(logits, left, right)
        back = pair_loss(tf.transpose(logits), right, left)
        return (there + back) / 2


def pair_loss(
    logits: tf.Tensor, asked: tf.Tensor, wanted: tf.Tensor
) -> tf.Tensor:
    """Mean of -log softmax of the wanted column, scalar.

    A column counts as often as pairs want it, as if each pair had brought a
    column of its own: what is popular must be as near as chance explains and
    no nearer, so that likeness and not popularity is learnt.

    Args:
        logits: [A, B] float32.
        asked, wanted: [P] int32 row and column of each pair.
    """
    columns = tf.shape(logits)[1]
    count = tf.math.unsorted_segment_sum(
        tf.ones_like(wanted, tf.float32), wanted, columns
    )
    weighted = logits + tf.math.log(count)[None]
    normal = tf.reduce_logsumexp(weighted, axis=1)  # [A]
    chosen = tf.gather_nd(logits, tf.stack([asked, wanted], axis=1))
    return tf.reduce_mean(tf.gather(normal, asked) - chosen)
