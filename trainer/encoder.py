"""The text encoder: any BERT that `from_pretrained` takes, mean-pooled.

One object reads strings in the served graph (tokens with core operations
only) and in bulk while training (tokens from Hugging Face's tokenizer, which
gives the same ids, and texts of equal length in one batch).
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf
import transformers

from trainer.cores import cores
from trainer.tokenizer import in_graph_tokenizer
from trainer.tuning import MERGED, Tuning, merge
from trainer.tuning.tuning import weights_hash

_BATCH_TEXTS = 64
_MOST_AT_ONCE = 16  # batches, some 50 MB each


class TextEncoder(tf.Module):
    """BERT with mean pooling over real tokens, unit length.

    Args:
        bert: a TensorFlow BERT-family model with its weights.
        tokenizer: its fast tokenizer.
        max_tokens: word pieces that are read of a text.

    Attributes:
        tuning: which weights are trained with the towers, if any are.
        words: called with [texts, tokens] ids, gives the word vectors, in the
            place of the encoder's own; None for these.
    """

    def __init__(
        self,
        bert: transformers.TFPreTrainedModel,
        tokenizer: transformers.PreTrainedTokenizerFast,
        max_tokens: int,
    ) -> None:
        super().__init__(name="text_encoder")
        limit = positions(bert.config)
        if max_tokens > limit:
            raise ValueError(
                f"max_tokens is {max_tokens}, but this text encoder has "
                f"positions for {limit}; lower max_tokens."
            )
        self.bert = bert
        self.hf_tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.dim = int(bert.config.hidden_size)
        self.pad_id = int(tokenizer.pad_token_id)
        self.tokenize = in_graph_tokenizer(tokenizer, max_tokens)
        self.tuning: Tuning | None = None
        self.words: tf.Module | None = None
        # Before any use, which would write its truncation into the state.
        self._tokenizer_state = tokenizer.backend_tokenizer.to_str()

    def pool(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Encodes token ids.

        Args:
            token_ids: [texts, tokens] int32, padded with `pad_id`.

        Returns:
            [texts, dim] float32, unit length; the mean over real tokens.
        """
        mask = tf.cast(tf.not_equal(token_ids, self.pad_id), tf.int32)
        inputs = (
            {"input_ids": None, "inputs_embeds": self.words(token_ids)}
            if self.words
            else {"input_ids": token_ids}
        )
        states = self.bert(
            **inputs, attention_mask=mask, training=False
        ).last_hidden_state
        return mean_of_tokens(states, token_ids, self.pad_id)

    # Traced once, however many signatures call it.
    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    def encode_strings(self, texts: tf.Tensor) -> tf.Tensor:
        """[texts] strings -> [texts, dim]; an empty text gets zeros.

        The encoder does not run at all where every text is empty.
        """
        has_text = tf.not_equal(tf.strings.strip(texts), "")
        vectors = tf.cond(
            tf.reduce_any(has_text),
            lambda: self._pool_graph(self.tokenize(texts)),
            lambda: tf.zeros([tf.shape(texts)[0], self.dim]),
        )
        return tf.where(has_text[:, None], vectors, 0.0)

    def token_table(self, texts: Sequence[str]) -> np.ndarray:
        """[texts, tokens] int32 ids, padded; an empty text is all padding."""
        rows = self.hf_tokenizer(
            list(texts), truncation=True, max_length=self.max_tokens
        )["input_ids"]
        width = max(map(len, rows), default=1)
        table = np.full((len(rows), width), self.pad_id, np.int32)
        for row, (ids, text) in enumerate(zip(rows, texts, strict=True)):
            if text:
                table[row, : len(ids)] = ids
        return table

    def encode_bulk(self, texts: Sequence[str]) -> np.ndarray:
        """Encodes many texts. Returns [texts, dim] float32."""
        return self.pool_table(self.token_table(texts))

    def pool_table(
        self,
        tokens: np.ndarray,
        progress: Callable[[int], object] = lambda count: None,
    ) -> np.ndarray:
        """Encodes many texts, shortest first, a batch for each core at once.

        One batch on all cores leaves some of them idle. TensorFlow computes
        without Python's lock, so threads do what processes would, which had
        to load the encoder each.

        Args:
            tokens: of `token_table`.
            progress: told how many texts have been read since it was told.

        Returns:
            [texts, dim] float32; zeros for an empty text.
        """
        lengths = (tokens != self.pad_id).sum(axis=1)
        order = np.argsort(lengths, kind="stable")
        batches = [
            order[at : at + _BATCH_TEXTS]
            for at in range(0, len(order), _BATCH_TEXTS)
        ]
        vectors = np.empty((len(tokens), self.dim), np.float32)

        def read(rows: np.ndarray) -> int:
            width = max(2, int(lengths[rows].max()))
            batch = tf.constant(tokens[rows, :width])
            vectors[rows] = self._pool_graph(batch).numpy()
            return len(rows)

        with ThreadPoolExecutor(min(cores(), _MOST_AT_ONCE)) as pool:
            for count in pool.map(read, batches):
                progress(count)
        return vectors

    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
        autograph=False,
    )
    def _pool_graph(self, token_ids: tf.Tensor) -> tf.Tensor:
        return self.pool(token_ids)

    @property
    def tuned_weights(self) -> list[tf.Variable]:
        """Weights that are trained with the towers; none of a frozen one."""
        return list(self.tuning.weights.values()) if self.tuning else []

    @property
    def served_variables(self) -> list[tf.Variable]:
        """All that reading a text takes."""
        if self.words is None:
            return list(self.bert.variables)
        table = self.bert.get_input_embeddings().weight
        own = [v for v in self.bert.variables if v is not table]
        return [*own, *self.words.variables]

    def merged(self) -> TextEncoder:
        """The same encoder with what (Ada)LoRA learnt inside its weights.

        Graphs that were traced before give the same: their products are zero.
        """
        if not self.tuning or self.tuning.method not in MERGED:
            return self
        merge(self.bert)
        return copy.copy(self)  # whose graphs are not traced yet

    def fingerprint(self) -> str:
        """Names weights, precision, tokenizer and length: all that decides."""
        precision = tf.keras.mixed_precision.global_policy().name
        digest = hashlib.sha256(f"{self.max_tokens} {precision}".encode())
        digest.update(self._tokenizer_state.encode())
        digest.update(weights_hash(self.bert).encode())
        return digest.hexdigest()[:16]


def positions(config: Any) -> int:
    """Word pieces that a model has positions for.

    RoBERTa counts them from behind its padding's id.
    """
    count: int = config.max_position_embeddings
    is_shifted = config.model_type in ("roberta", "xlm-roberta", "camembert")
    return count - (config.pad_token_id + 1 if is_shifted else 0)


def mean_of_tokens(
    states: tf.Tensor, token_ids: tf.Tensor, pad_id: int
) -> tf.Tensor:
    """What a text's vector is made of.

    Args:
        states: [texts, tokens, dim] of any precision.
        token_ids: [texts, tokens] int32.
        pad_id: the id of tokens that do not count.

    Returns:
        [texts, dim] float32, unit length.
    """
    is_token = tf.not_equal(token_ids, pad_id)
    weights = tf.cast(is_token, tf.float32)[:, :, None]
    total = tf.reduce_sum(tf.cast(states, tf.float32) * weights, axis=1)
    return tf.math.l2_normalize(total, axis=-1)
