"""Words that the texts of two items share, for people to read."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Sequence

import tensorflow as tf

_MAX_WORDS = 64  # of a text; what follows, most encoders do not read either
# A word in more texts than this, or than a tenth of them, tells nothing.
_FEW = 10
_COMMON_SHARE = 0.1
_WORD = re.compile(r"[^\W_]+")
# Scripts that are written without spaces: Han, Hiragana and Katakana.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def words_of(text: str) -> list[str]:
    """Distinct words in lower case, in order; pairs of characters where a
    script has no spaces.

    Example:
        >>> words_of("Red tea, red CUP. 红茶杯")
        ['red', 'tea', 'cup', '红茶', '茶杯']
    """
    return list(dict.fromkeys(_split(text.lower())))[:_MAX_WORDS]


def _split(text: str) -> Iterator[str]:
    for word in _WORD.findall(_UNSPACED.sub(r" \g<0> ", text)):
        if _UNSPACED.match(word):
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        elif len(word) > 1:
            yield word


def telling_words(texts: Sequence[str]) -> list[str]:
    """[items] words of each text that few others have, joined by spaces."""
    counts = collections.Counter(w for text in texts for w in words_of(text))
    most = max(_FEW, _COMMON_SHARE * len(texts))
    return [
        " ".join(word for word in words_of(text) if counts[word] <= most)
        for text in texts
    ]


def shared_words(own: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Words of a text that stand in other texts too.

    Args:
        own: [b] string, words joined by spaces.
        others: [b, W] string, the same.

    Returns:
        [b, W] string, those of `own` in its order, joined by spaces.
    """
    mine = tf.strings.split(own).to_tensor()[:, tf.newaxis, :]  # [b, 1, U]
    theirs = tf.strings.split(others).to_tensor()  # [b, W, V]
    is_same = tf.equal(mine[..., tf.newaxis], theirs[:, :, tf.newaxis, :])
    is_shared = tf.reduce_any(is_same, axis=3) & tf.not_equal(mine, "")
    joined = tf.strings.reduce_join(
        tf.where(is_shared, mine, ""), axis=2, separator=" "
    )
    single = tf.strings.regex_replace(joined, " +", " ")
    return tf.strings.regex_replace(single, "^ | $", "")
