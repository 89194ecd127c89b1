"""WordPiece: a word becomes the longest tokens that fit, from left to right.

All words of a batch walk a trie of the vocabulary together, one character per
step. A word that has no way on gives out the longest token that it has passed
and goes on behind it among the `##` tokens; where it has passed none, the
whole word is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from trainer.tokenizer.bert_settings import PREFIX
from trainer.tokenizer.text_normalizer import Words

_FIRST, _CONTINUED = 0, 1  # the trie's two roots
_NONE = -1


def _build_trie(
    vocabulary: Mapping[str, int], symbols: Mapping[str, int]
) -> tuple[dict[tuple[int, int], int], list[int]]:
    """Children by (node, symbol), and the token that ends at each node."""
    children: dict[tuple[int, int], int] = {}
    tokens = [_NONE, _NONE]
    for text, token in vocabulary.items():
        node = _CONTINUED if text.startswith(PREFIX) else _FIRST
        for character in text.removeprefix(PREFIX):
            edge = (node, symbols[character])
            if edge not in children:
                children[edge] = len(tokens)
                tokens.append(_NONE)
            node = children[edge]
        if node > _CONTINUED:
            tokens[node] = token
    return children, tokens


class _Walk(NamedTuple):
    """Where each unfinished word is; all [words] int32."""

    word: tf.Tensor
    node: tf.Tensor
    begin: tf.Tensor  # first character of the token being looked for
    position: tf.Tensor  # next character
    best: tf.Tensor  # longest token since begin, -1 before there is one
    best_end: tf.Tensor


class WordPiece(tf.Module):
    """Tokens of words, in a graph.

    Args:
        vocabulary: id of each token; `##` marks those that continue a word.
        symbols: number of each character of the vocabulary, from 1.
        unknown: id of a word that cannot be put together from tokens.
        max_characters: longer words are unknown.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        symbols: Mapping[str, int],
        *,
        unknown: int,
        max_characters: int,
    ) -> None:
        super().__init__(name="word_piece")
        self._unknown, self._max_characters = unknown, max_characters
        self._num_symbols = max(symbols.values(), default=0) + 1
        children, tokens = _build_trie(vocabulary, symbols)
        edges = np.array([*children], np.int64).reshape(-1, 2)
        keys = edges[:, 0] * self._num_symbols + edges[:, 1]
        nodes = np.array([*children.values()], np.int64)
        self._children = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, nodes),
            default_value=_NONE,
        )
        self._tokens = np.array(tokens, np.int32)

    def match(self, words: Words) -> tuple[tf.Tensor, tf.Tensor]:
        """Tokens in reading order; only inside a `tf.function`.

        Returns:
            [tokens] int32 ids and [tokens] int32 rows, the text of each.
        """
        found = self._walk_all(words)
        word, begin, token = tf.unstack(found, axis=1)
        num_words = tf.size(words.starts)
        too_long = words.ends - words.starts > self._max_characters
        worst = tf.math.unsorted_segment_min(token, word, num_words)
        is_unknown = too_long | (worst == _NONE)
        known = tf.where(~tf.gather(is_unknown, word))[:, 0]
        unknown_starts = tf.boolean_mask(words.starts, is_unknown)
        places = tf.concat([tf.gather(begin, known), unknown_starts], 0)
        unknowns = tf.fill(tf.shape(unknown_starts), self._unknown)
        ids = tf.concat([tf.gather(token, known), unknowns], 0)
        # At most one token begins at a character; ids are kept from 1 on
        # because 0 is where none does.
        at_character = tf.scatter_nd(
            places[:, None], ids + 1, tf.shape(words.symbols)
        )
        order = tf.where(at_character > 0)[:, 0]
        ids = tf.gather(at_character, order) - 1
        return ids, tf.gather(words.rows, order)

    def _walk_all(self, words: Words) -> tf.Tensor:
        """[tokens, 3]: word, first character, id or -1: the word is unknown."""
        short = tf.where(
            words.ends - words.starts <= self._max_characters
        )[:, 0]
        starts = tf.gather(words.starts, short)
        nothing = tf.fill(tf.shape(starts), _NONE)
        walk = _Walk(
            word=tf.cast(short, tf.int32),
            node=tf.fill(tf.shape(starts), _FIRST),
            begin=starts,
            position=starts,
            best=nothing,
            best_end=nothing,
        )
        found = tf.TensorArray(
            tf.int32, 0, dynamic_size=True, infer_shape=False,
            element_shape=[None, 3],
        )
        _, found = tf.while_loop(
            lambda walk, found: tf.size(walk.word) > 0,
            lambda walk, found: self._step(words, walk, found),
            (walk, found),
            shape_invariants=(
                _Walk(*[tf.TensorShape([None])] * 6), tf.TensorShape(None)
            ),
        )
        return found.concat()

    def _step(
        self, words: Words, walk: _Walk, found: tf.TensorArray
    ) -> tuple[_Walk, tf.TensorArray]:
        """One character on, or one token found, for each word."""
        symbol = tf.gather(words.symbols, walk.position)
        edge = tf.cast(walk.node, tf.int64) * self._num_symbols
        edge += tf.cast(symbol, tf.int64)
        node = tf.cast(self._children.lookup(edge), tf.int32)
        moved = node != _NONE
        position = walk.position + tf.cast(moved, tf.int32)
        # Node -1 reads the first root's place, which has no token.
        token = tf.gather(self._tokens, tf.maximum(node, 0))
        is_better = token != _NONE
        best = tf.where(is_better, token, walk.best)
        best_end = tf.where(is_better, position, walk.best_end)
        end = tf.gather(words.ends, walk.word)
        stuck = ~moved | (position == end)
        results = tf.stack([walk.word, walk.begin, best], 1)
        found = found.write(found.size(), tf.boolean_mask(results, stuck))
        going = tf.where(~stuck | ((best != _NONE) & (best_end < end)))[:, 0]
        next_walk = _Walk(
            word=walk.word,
            node=tf.where(stuck, _CONTINUED, node),
            begin=tf.where(stuck, best_end, walk.begin),
            position=tf.where(stuck, best_end, position),
            best=tf.where(stuck, _NONE, best),
            best_end=best_end,
        )
        return _Walk(*[tf.gather(part, going) for part in next_walk]), found
