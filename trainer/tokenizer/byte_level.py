"""RoBERTa's tokenizer as a TensorFlow graph of core operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from trainer.tokenizer.byte_level_settings import (
    byte_ids,
    byte_pair_settings,
    literal_tokens,
)
from trainer.tokenizer.byte_pairs import BytePairs
from trainer.tokenizer.byte_words import (
    SPACE,
    SPECIAL,
    character_classes,
    word_starts,
)
from trainer.tokenizer.frame import Frame

_PAGE = 256  # code points per page; most pages of Unicode are alike
# The bits of a code point that its UTF-8 bytes hold, by the number of bytes.
_LIMITS = (0x80, 0x800, 0x10000)
_LEADS = (0x00, 0xC0, 0xE0, 0xF0)


class ByteLevelTokenizer(tf.Module):
    """Input ids of raw texts, equal to those of a fast RoBERTa tokenizer.

    Equal to `hf_tokenizer(texts, truncation=True, max_length=max_tokens,
    padding=True)["input_ids"]`. Bytes that are not UTF-8 are read as by
    Python's `errors="replace"`.

    Args:
        hf_tokenizer: a `transformers` fast tokenizer with byte-level BPE.
        max_tokens: ids of a text at most, <s> and </s> included, from 2.

    Raises:
        ValueError: if the tokenizer is of another kind.
    """

    def __init__(self, hf_tokenizer: Any, max_tokens: int) -> None:
        super().__init__(name="byte_level_tokenizer")
        model = byte_pair_settings(hf_tokenizer)
        self._frame = Frame(hf_tokenizer, max_tokens)
        self._max_words = max_tokens - 2  # each has at least one token
        self._specials = literal_tokens(hf_tokenizer)
        classes = character_classes(
            hf_tokenizer.backend_tokenizer.pre_tokenizer
        )
        pages, page_of = np.unique(
            classes.reshape(-1, _PAGE), axis=0, return_inverse=True
        )
        self._pages = pages.astype(np.int32).ravel()
        self._page_of = page_of.astype(np.int32).ravel()
        self._byte_ids = np.array(byte_ids(model["vocab"]), np.int32)
        self._pairs = BytePairs(model["vocab"], _pairs_of(model["merges"]))

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
    )
    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Input ids.

        Args:
            texts: [batch] string, UTF-8.

        Returns:
            [batch, tokens] int32, as of `BertTokenizer`.
        """
        num_texts = tf.size(texts)
        decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        rows = tf.cast(decoded.value_rowids(), tf.int32)
        points, kinds, rows = self._with_specials(decoded.flat_values, rows)
        starts = word_starts(points, kinds, rows)
        word = tf.cumsum(tf.cast(starts, tf.int32)) - 1
        row_of_word = tf.boolean_mask(rows, starts)
        counts = tf.math.unsorted_segment_sum(
            tf.ones_like(row_of_word), row_of_word, num_texts
        )
        first = tf.cumsum(counts, exclusive=True)
        is_read = word - tf.gather(first, rows) < self._max_words
        points, kinds, word = (
            tf.boolean_mask(each, is_read) for each in (points, kinds, word)
        )
        ids, word = self._byte_tokens(points, kinds, word)
        ids, word = self._pairs.merge(ids, word, tf.size(row_of_word))
        return self._frame(ids, tf.gather(row_of_word, word), num_texts)

    def _with_specials(
        self, points: tf.Tensor, rows: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Puts one character, its point the token's id, for each special."""
        page = tf.gather(self._page_of, points // _PAGE)
        kinds = tf.gather(self._pages, page * _PAGE + points % _PAGE)
        for token, added in self._specials.items():
            found = _occurrences(points, kinds, rows, added.content)
            inside = tf.zeros_like(found)
            for offset in range(1, len(added.content)):
                inside |= _shifted(found, offset)
            points = tf.where(found, token, points)
            kinds = tf.where(found, SPECIAL, kinds)
            if added.lstrip:
                inside |= _spaces_before(found, kinds, rows)
            points, kinds, rows = (
                tf.boolean_mask(each, ~inside)
                for each in (points, kinds, rows)
            )
        return points, kinds, rows

    def _byte_tokens(
        self, points: tf.Tensor, kinds: tf.Tensor, word: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """[characters] -> ids [T] of bytes or specials, and their words."""
        is_special = kinds == SPECIAL
        size = tf.add_n(
            [tf.cast(points >= limit, tf.int32) for limit in _LIMITS]
        )
        size = tf.where(is_special, 0, size)  # bytes behind the first
        at = tf.range(4)[None]  # [1, 4]
        shift = 6 * tf.maximum(size[:, None] - at, 0)
        bits = tf.bitwise.right_shift(points[:, None], shift)
        lead = tf.gather(_LEADS, size)[:, None]
        byte = tf.where(at == 0, lead + bits, 0x80 + bits % 0x40)
        ids = tf.gather(self._byte_ids, tf.clip_by_value(byte, 0, 255))
        ids = tf.where(is_special[:, None], points[:, None], ids)
        is_byte = at <= size[:, None]
        words = tf.broadcast_to(word[:, None], tf.shape(ids))
        return tf.boolean_mask(ids, is_byte), tf.boolean_mask(words, is_byte)


def _pairs_of(merges: list[Any]) -> list[tuple[str, str]]:
    """Pairs, which older files write as one string with a blank."""
    split = (m.split(" ") if isinstance(m, str) else m for m in merges)
    return [(first, second) for first, second in split]


def _occurrences(
    points: tf.Tensor, kinds: tf.Tensor, rows: tf.Tensor, content: str
) -> tf.Tensor:
    """[characters] bool, where a special token's text begins."""
    found = kinds != SPECIAL
    for offset, character in enumerate(content):
        padding = [[0, offset]]
        moved = (
            tf.pad(each, padding, constant_values=-1)[offset:]
            for each in (points, kinds, rows)
        )
        point, kind, row = moved
        found &= (point == ord(character)) & (row == rows)
        found &= kind != SPECIAL
    return found


def _shifted(found: tf.Tensor, offset: int) -> tf.Tensor:
    """True `offset` places behind each place that was found."""
    return tf.pad(found, [[offset, 0]])[: tf.size(found)]


def _spaces_before(
    found: tf.Tensor, kinds: tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    """[characters] bool, spaces that end where a special token begins."""
    is_space = kinds == SPACE
    last_space = _shifted(is_space, 1) & (
        tf.pad(rows, [[1, 0]], constant_values=-1)[:-1] == rows
    )
    run = tf.cumsum(tf.cast(~(is_space & last_space), tf.int32))
    size = tf.size(found) + 2
    # A run of spaces is dropped where the character behind it was found.
    ends = tf.math.unsorted_segment_max(
        tf.range(tf.size(found)), run, size
    )
    behind = tf.pad(found, [[0, 1]])[1:]
    same = tf.pad(rows, [[0, 1]], constant_values=-1)[1:] == rows
    is_end = behind & same
    at_end = tf.gather(tf.pad(is_end, [[0, 1]]), tf.gather(ends, run))
    return is_space & at_end
