"""Words that the texts of two items share, for people to read."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import tensorflow as tf

from serving.words import words_of

# A word in more texts than this, or than a tenth of them, tells nothing.
_FEW = 10
_COMMON_SHARE = 0.1


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
