"""Words of byte-level BPE, in a TensorFlow graph.

GPT-2's pattern is

    's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+
    | ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+

which TensorFlow's regular expressions cannot say. All characters of a batch
are looked at together instead: each begins a word or does not, which the
class of its neighbours tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

LETTER, NUMBER, OTHER, SPACE, SPECIAL = range(5)
_GUARDS = {LETTER: "a", NUMBER: "1", OTHER: "!"}
_SURROGATES = range(0xD800, 0xE000)  # UTF-8 has none
_CODE_POINTS = 0x110000
_PAGE = 0x800
_BLANK, _APOSTROPHE = ord(" "), ord("'")
_ENDINGS = ("s", "t", "re", "ve", "m", "ll", "d")


def character_classes(pre_tokenizer: Any) -> np.ndarray:
    """[code points] int8 class of each, asked of the tokenizer itself.

    A stretch of characters between two letters is one word if all of it is
    letters; so for numbers and others; what is none of these is space.
    """
    classes = np.full(_CODE_POINTS, OTHER, np.int8)

    def classify(first: int, end: int) -> None:
        """Fills a stretch, halves of it where it is mixed."""
        text = "".join(
            chr(p) for p in range(first, end) if p not in _SURROGATES
        )
        for kind, guard in _GUARDS.items():
            if len(pre_tokenizer.pre_tokenize_str(guard + text + guard)) == 1:
                classes[first:end] = kind
                return
        if end - first == 1:
            classes[first] = SPACE
            return
        middle = (first + end) // 2
        classify(first, middle)
        classify(middle, end)

    for first in range(0, _CODE_POINTS, _PAGE):
        classify(first, first + _PAGE)
    return classes


def word_starts(
    points: tf.Tensor, kinds: tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    """Where words begin.

    Args:
        points: [characters] int32 code points.
        kinds: [characters] int32 classes; a special token is one character.
        rows: [characters] int32 text of each.

    Returns:
        [characters] bool.
    """
    is_first = _before(rows, -1) != rows
    last_kind = tf.where(is_first, SPECIAL, _before(kinds, SPECIAL))
    is_space = kinds == SPACE
    # What stands behind, a text's end and a special token being nothing.
    next_kind = tf.where(
        _behind(rows, -1) != rows, SPECIAL, _behind(kinds, SPECIAL)
    )
    goes_on = (next_kind != SPACE) & (next_kind != SPECIAL)
    begins_spaces = is_space & (last_kind != SPACE)
    # The last of several spaces goes with the word behind them.
    is_last_space = is_space & goes_on
    joins_blank = (
        (last_kind == SPACE) & (_before(points, 0) == _BLANK) & ~is_space
    )
    differs = (last_kind != kinds) & ~is_space & ~joins_blank
    is_special = kinds == SPECIAL
    starts = begins_spaces | is_last_space | differs | is_special
    starts |= (last_kind == SPECIAL) & ~is_space
    return _apply_contractions(points, rows, starts)


def _apply_contractions(
    points: tf.Tensor, rows: tf.Tensor, starts: tf.Tensor
) -> tf.Tensor:
    """'s, 't, 're and so on are words, where an apostrophe begins one."""
    begins = starts & (points == _APOSTROPHE)
    for ending in _ENDINGS:
        found = begins
        for offset, letter in enumerate(ending, start=1):
            found &= _behind(points, 0, offset) == ord(letter)
            found &= _behind(rows, -1, offset) == rows
        inside = _before(found, False)
        after = _before(found, False, len(ending) + 1)
        starts = (starts & ~inside) | after
        begins &= ~found
    return starts


def _before(values: tf.Tensor, outside: Any, offset: int = 1) -> tf.Tensor:
    """The value `offset` places before each."""
    fill = tf.fill([offset], tf.constant(outside, values.dtype))
    return tf.concat([fill, values], 0)[: tf.size(values)]


def _behind(values: tf.Tensor, outside: Any, offset: int = 1) -> tf.Tensor:
    """The value `offset` places behind each."""
    fill = tf.fill([offset], tf.constant(outside, values.dtype))
    return tf.concat([values, fill], 0)[offset:]
