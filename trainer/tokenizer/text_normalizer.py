"""The words of raw texts, in a TensorFlow graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer.tokenizer.character_codes import (
    ALONE,
    BREAK,
    LETTER,
    all_codes,
    check_mark_order,
)

_PAGE = 256  # code points per page; most pages of Unicode are alike


class Words(NamedTuple):
    """The words of a batch, in order; characters are those of words only."""

    symbols: tf.Tensor  # [characters] int32
    rows: tf.Tensor  # [characters] int32, the text of each character
    starts: tf.Tensor  # [words] int32, first character
    ends: tf.Tensor  # [words] int32, one after the last character

    def per_text(self, num_texts: tf.Tensor) -> tf.Tensor:
        """[num_texts] int32 numbers of words."""
        row = tf.gather(self.rows, self.starts)
        return tf.math.unsorted_segment_sum(tf.ones_like(row), row, num_texts)

    def first(self, limit: int, num_texts: tf.Tensor) -> Words:
        """The first `limit` words of each text."""
        counts = self.per_text(num_texts)
        row = tf.gather(self.rows, self.starts)
        first = tf.gather(tf.cumsum(counts, exclusive=True), row)
        is_first = tf.range(tf.size(row)) - first < limit
        return self._replace(
            starts=tf.boolean_mask(self.starts, is_first),
            ends=tf.boolean_mask(self.ends, is_first),
        )


def _join_words(codes: tf.Tensor, rows: tf.Tensor) -> Words:
    """Groups codes [n] of the texts rows [n] into words."""
    kind = codes % 4
    alone = tf.cast(kind == ALONE, tf.int32)
    cuts = alone + tf.cast(kind == BREAK, tf.int32)
    cuts += tf.concat([[0], alone[:-1]], 0)[: tf.size(alone)]
    kept = tf.where((kind == LETTER) | (kind == ALONE))[:, 0]
    symbols, rows = tf.gather(codes // 4, kept), tf.gather(rows, kept)
    # Neither term ever falls, so the sum rises at each new word or text.
    group = tf.gather(tf.cumsum(cuts), kept) + rows
    is_start = tf.concat([tf.ones_like(group[:1]), group[1:] - group[:-1]], 0)
    starts = tf.cast(tf.where(is_start > 0)[:, 0], tf.int32)
    ends = tf.concat([starts[1:], tf.shape(symbols)[: tf.size(starts)]], 0)
    return Words(symbols, rows, starts, ends)


class TextNormalizer:
    """Finds the words of texts, in a graph.

    Args:
        backend: a `tokenizers.Tokenizer` with BERT's normalizer and
            pre-tokenizer.
        symbols: number of each character that tokens are made of, from 1.
        standalone: characters of `symbols` that are words of their own,
            whatever the tokenizer says of them.
    """

    def __init__(
        self, backend: Any, symbols: Mapping[str, int], standalone: str = ""
    ) -> None:
        check_mark_order(backend, symbols)
        codes, sequences = all_codes(backend, symbols)
        for character in standalone:
            codes[ord(character)] = symbols[character] * 4 + ALONE
        pages, page_of = np.unique(
            codes.reshape(-1, _PAGE), axis=0, return_inverse=True
        )
        self._pages = pages.astype(np.int32).ravel()
        self._page_of = page_of.astype(np.int32).ravel()
        lengths = [len(sequence) for sequence in sequences]
        self._lengths = np.array(lengths, np.int32)
        self._offsets = np.cumsum([0, *lengths])[:-1].astype(np.int32)
        self._sequences = np.array(
            [code for sequence in sequences for code in sequence], np.int32
        )

    def find_words(self, texts: tf.Tensor) -> Words:
        """The words of texts [batch] string; bytes that are not UTF-8 count
        as U+FFFD."""
        points = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        page, place = points.flat_values // _PAGE, points.flat_values % _PAGE
        page = tf.gather(self._page_of, page)
        codes = tf.gather(self._pages, page * _PAGE + place)
        rows = tf.cast(points.value_rowids(), tf.int32)
        if self._lengths.size:
            codes, rows = tf.cond(
                tf.reduce_any(codes < 0),
                lambda: self._expand(codes, rows),
                lambda: (codes, rows),
            )
        return _join_words(codes, rows)

    def _expand(
        self, codes: tf.Tensor, rows: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Puts sequences in the place of the negative codes [n]."""
        is_sequence = codes < 0
        index = tf.where(is_sequence, -1 - codes, 0)
        lengths = tf.where(is_sequence, tf.gather(self._lengths, index), 1)
        source = tf.repeat(tf.range(tf.size(codes)), lengths)
        within = tf.range(tf.size(source)) - tf.gather(
            tf.cumsum(lengths, exclusive=True), source
        )
        offset = tf.where(is_sequence, tf.gather(self._offsets, index), 0)
        expanded = tf.where(
            tf.gather(is_sequence, source),
            tf.gather(self._sequences, tf.gather(offset, source) + within),
            tf.gather(codes, source),
        )
        return expanded, tf.gather(rows, source)
