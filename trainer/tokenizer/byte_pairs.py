"""Byte-pair encoding: the pair that was learnt first becomes one token.

All words of a batch are merged together, each by its own best pair, until no
word has a pair that was learnt. Axes: T tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

_NEVER = 2**30  # rank of a pair that was not learnt


class BytePairs(tf.Module):
    """Merges tokens within words, in a graph.

    Args:
        vocabulary: id of each token.
        merges: pairs of tokens in the order in which they were learnt.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[Sequence[str]],
    ) -> None:
        super().__init__(name="byte_pairs")
        self._size = max(vocabulary.values()) + 1
        pairs = [(vocabulary[a], vocabulary[b]) for a, b in merges]
        keys = np.array([a * self._size + b for a, b in pairs], np.int64)
        self._merged = np.array(
            [vocabulary[a + b] for a, b in merges] or [0], np.int32
        )
        self._ranks = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                keys, np.arange(len(keys), dtype=np.int64)
            ),
            default_value=_NEVER,
        )

    def merge(
        self, ids: tf.Tensor, words: tf.Tensor, num_words: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Merges until nothing is left to merge; only in a `tf.function`.

        Args:
            ids: [T] int32 tokens of single bytes.
            words: [T] int32 number of each token's word, rising.
            num_words: scalar.

        Returns:
            ids and words of the tokens that are left.
        """
        ids, words, _ = tf.while_loop(
            lambda ids, words, again: again,
            lambda ids, words, again: self._step(ids, words, num_words),
            (ids, words, tf.constant(True)),
            shape_invariants=(
                tf.TensorShape([None]), tf.TensorShape([None]),
                tf.TensorShape([]),
            ),
        )
        return ids, words

    def _step(
        self, ids: tf.Tensor, words: tf.Tensor, num_words: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Merges every word's best pair wherever it stands in it."""
        key = tf.cast(ids[:-1], tf.int64) * self._size
        key += tf.cast(ids[1:], tf.int64)
        rank = tf.cast(self._ranks.lookup(key), tf.int32)  # [T - 1]
        rank = tf.where(words[:-1] == words[1:], rank, _NEVER)
        best = tf.math.unsorted_segment_min(rank, words[:-1], num_words)
        is_best = (rank == tf.gather(best, words[:-1])) & (rank < _NEVER)
        taken = _every_other(is_best)
        merged = tf.gather(self._merged, tf.where(taken, rank, 0))
        ids = tf.concat([tf.where(taken, merged, ids[:-1]), ids[-1:]], 0)
        # Empty of an empty batch, as the ids are.
        kept = tf.concat([tf.ones_like(ids[:1], tf.bool), ~taken], 0)
        kept = kept[: tf.size(ids)]
        return (
            tf.boolean_mask(ids, kept),
            tf.boolean_mask(words, kept),
            tf.reduce_any(taken),
        )


def _every_other(chosen: tf.Tensor) -> tf.Tensor:
    """Of each run of chosen places the first, third, fifth and so on.

    Pairs overlap only where one token repeats: `aaa` has two pairs `aa`.
    """
    place = tf.range(tf.size(chosen))
    last = tf.concat([[False], chosen], 0)[: tf.size(chosen)]
    run = tf.cumsum(tf.cast(chosen & ~last, tf.int32))
    first = tf.math.unsorted_segment_min(
        tf.where(chosen, place, _NEVER), run, tf.size(chosen) + 1
    )
    return chosen & ((place - tf.gather(first, run)) % 2 == 0)
