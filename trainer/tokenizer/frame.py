"""The matrix of input ids: [CLS], the first tokens of a text, [SEP], padding.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class Frame:
    """Puts tokens into rows.

    Args:
        hf_tokenizer: whose ids of start, end and padding are taken.
        max_tokens: ids of a text at most, start and end included, from 2.

    Raises:
        ValueError: if there is no room for start and end.
    """

    def __init__(self, hf_tokenizer: Any, max_tokens: int) -> None:
        if max_tokens < 2:
            raise ValueError(
                f"max_tokens must be at least 2, got {max_tokens}: [CLS] and "
                "[SEP] are always there."
            )
        self._ends = hf_tokenizer("")["input_ids"]  # [CLS], [SEP]
        self._padding = hf_tokenizer.pad_token_id
        self._limit = max_tokens - 2

    def __call__(
        self, ids: tf.Tensor, rows: tf.Tensor, num_texts: tf.Tensor
    ) -> tf.Tensor:
        """[num_texts, tokens] matrix of ids [n] that belong to rows [n]."""
        counts = tf.math.unsorted_segment_sum(
            tf.ones_like(rows), rows, num_texts
        )
        firsts = tf.gather(tf.cumsum(counts, exclusive=True), rows)
        columns = 1 + tf.range(tf.size(ids)) - firsts
        kept = tf.where(columns <= self._limit)[:, 0]
        all_rows = tf.range(num_texts)
        lengths = tf.minimum(counts, self._limit)
        places = tf.concat(
            [
                tf.stack([all_rows, tf.zeros_like(all_rows)], 1),
                tf.gather(tf.stack([rows, columns], 1), kept),
                tf.stack([all_rows, lengths + 1], 1),
            ],
            0,
        )
        start, end = (tf.fill([num_texts], i) for i in self._ends)
        width = tf.reduce_max(tf.concat([[0], lengths], 0)) + 2
        return tf.tensor_scatter_nd_update(
            tf.fill([num_texts, width], self._padding),
            places,
            tf.concat([start, tf.gather(ids, kept), end], 0),
        )
