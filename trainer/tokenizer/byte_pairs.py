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

        Words in which nothing is left are set aside at once, so that a long
        word among short ones does not keep all of them busy.

        Args:
            ids: [T] int32 tokens of single bytes.
            words: [T] int32 number of each token's word, rising.
            num_words: scalar.

        Returns:
            ids and words of the tokens that are left.
        """
        _, _, ids, words = tf.while_loop(
            lambda ids, *_: tf.size(ids) > 0,
            lambda *state: self._step(num_words, *state),
            (ids, words, ids[:0], words[:0]),
            shape_invariants=(tf.TensorShape([None]),) * 4,
        )
        order = tf.argsort(words, stable=True)
        return tf.gather(ids, order), tf.gather(words, order)

    def _step(
        self,
        num_words: tf.Tensor,
        ids: tf.Tensor,
        words: tf.Tensor,
        done_ids: tf.Tensor,
        done_words: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """Merges every word's best pair wherever it stands in it."""
        rank = self._ranks_of(ids, words)
        best = tf.math.unsorted_segment_min(rank, words, num_words)
        best = tf.gather(best, words)
        goes_on = best < _NEVER
        taken = _every_other((rank == best) & goes_on)
        merged = tf.gather(self._merged, tf.where(taken, rank, 0))
        ids = tf.where(taken, merged, ids)
        is_right = tf.concat([[False], taken], 0)[: tf.size(ids)]
        left = goes_on & ~is_right
        return (
            tf.boolean_mask(ids, left),
            tf.boolean_mask(words, left),
            tf.concat([done_ids, tf.boolean_mask(ids, ~goes_on)], 0),
            tf.concat([done_words, tf.boolean_mask(words, ~goes_on)], 0),
        )

    def _ranks_of(self, ids: tf.Tensor, words: tf.Tensor) -> tf.Tensor:
        """[T] int32 rank of each token's pair with the next of its word."""
        key = tf.cast(ids[:-1], tf.int64) * self._size
        key += tf.cast(ids[1:], tf.int64)
        rank = tf.cast(self._ranks.lookup(key), tf.int32)
        rank = tf.where(words[:-1] == words[1:], rank, _NEVER)
        return tf.concat([rank, [_NEVER]], 0)[: tf.size(ids)]


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
