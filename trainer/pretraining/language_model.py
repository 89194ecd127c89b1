"""Masked-language-model training: loss, batches and perplexity.

Axes: B texts, L word pieces, M hidden word pieces, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.masking import Masked, Vocabulary, hide_words
from trainer.pretraining.token_batches import TokenTable, batches_by_tokens

_FIXED = 20_141  # of the draws that perplexity hides words by
_HEADS = ("mlm", "lm_head")  # of BERT, and of RoBERTa and XLM-RoBERTa


def read_states(model: Any, ids: tf.Tensor, training: bool) -> tf.Tensor:
    """[B, L] int32 ids -> [B, L, width] hidden states of the last layer."""
    mask = tf.cast(tf.not_equal(ids, model.config.pad_token_id), tf.int32)
    body = getattr(model, model.base_model_prefix)
    return body(
        input_ids=ids, attention_mask=mask, training=training
    ).last_hidden_state


class LanguageModelStage:
    """Training to say which word is hidden.

    Args:
        model: a TensorFlow `...ForMaskedLM`.
        vocabulary: of its tokenizer.
        table: the texts.
        config: shares, budget and seed.

    Attributes:
        name: of the stage's checkpoints.
        epochs: passes over the texts.
    """

    name = "language_model"

    def __init__(
        self,
        model: Any,
        vocabulary: Vocabulary,
        table: TokenTable,
        config: PretrainingConfig,
    ) -> None:
        heads = [h for h in _HEADS if hasattr(model, h)]
        if not heads:
            raise ValueError(
                f"encoder: a {model.config.model_type} cannot be trained on "
                "masked text here; give a BERT or RoBERTa checkpoint, or set "
                "--epochs 0."
            )
        self._head = getattr(model, heads[0])
        self._model, self._vocabulary = model, vocabulary
        self._table, self._config = table, config
        self.epochs = config.epochs

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, ...]]:
        """Batches of one epoch, the same for one seed."""
        generator = np.random.default_rng([self._config.seed, epoch])
        for rows in batches_by_tokens(
            self._table.lengths, self._config.batch_tokens, generator
        ):
            yield hide_words(
                self._table.rows(rows), self._vocabulary,
                self._config.masked_share, generator,
            )

    def steps(self, epoch: int) -> int:
        """Batches of an epoch."""
        generator = np.random.default_rng([self._config.seed, epoch])
        return len(
            batches_by_tokens(
                self._table.lengths, self._config.batch_tokens, generator
            )
        )

    @property
    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """Shapes of a batch."""
        return (
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, 2], tf.int32),
            tf.TensorSpec([None], tf.int32),
        )

    def loss(self, *batch: tf.Tensor, training: bool = True) -> tf.Tensor:
        """Mean cross-entropy of the hidden pieces, scalar float32.

        Only hidden places go through the head: it is as wide as the
        vocabulary.
        """
        ids, places, labels = batch
        states = read_states(self._model, ids, training)
        hidden = tf.gather_nd(states, places)[None]  # [1, M, width]
        logits = tf.cast(self._head(hidden)[0], tf.float32)  # [M, V]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=logits
        )
        return tf.reduce_mean(losses)

    def perplexity(self, table: TokenTable) -> float:
        """exp(mean cross-entropy of hidden pieces) of held-out texts.

        The same words are hidden whenever it is measured.
        """
        generator = np.random.default_rng(_FIXED)
        total, count = 0.0, 0
        for rows in batches_by_tokens(
            table.lengths, self._config.batch_tokens, generator
        ):
            batch = hide_words(
                table.rows(rows), self._vocabulary,
                self._config.masked_share, generator,
            )
            hidden = len(batch.labels)
            total += hidden * float(self._measure(*_tensors(batch)))
            count += hidden
        return math.exp(min(total / max(1, count), 700.0))

    @tf.function(autograph=False, reduce_retracing=True)
    def _measure(self, *batch: tf.Tensor) -> tf.Tensor:
        return self.loss(*batch, training=False)


def _tensors(batch: Masked) -> list[tf.Tensor]:
    return [tf.constant(part, tf.int32) for part in batch]
