"""Tokens worked out by hand from a vocabulary of a few."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow as tf

from trainer.tokenizer.text_normalizer import Words
from trainer.tokenizer.wordpiece import WordPiece

Match = Callable[[Words], tuple[tf.Tensor, tf.Tensor]]
UNKNOWN = 7
VOCABULARY = {
    "un": 0,  # an id of zero is a token like any other
    "unable": 1,
    "##a": 2,
    "##able": 3,
    "##ff": 4,
    "b": 5,
    "##b": 6,
    "##": 8,
    "é": 9,
}
SYMBOLS = {c: i for i, c in enumerate("#abeéflnu", start=1)}


@pytest.fixture(scope="module")
def match() -> Match:
    word_piece = WordPiece(
        VOCABULARY, SYMBOLS, unknown=UNKNOWN, max_characters=10
    )
    return tf.function(word_piece.match, autograph=False, reduce_retracing=True)


def words_of(texts: list[list[str]]) -> Words:
    """Words as the normalizer hands them on; `x` is an unknown symbol."""
    spelled = [(row, word) for row, text in enumerate(texts) for word in text]
    ends = [0]
    for _, word in spelled:
        ends.append(ends[-1] + len(word))
    rows = [row for row, word in spelled for _ in word]
    symbols = [SYMBOLS.get(c, 0) for _, word in spelled for c in word]
    as_tensor = [
        tf.constant(part, tf.int32)
        for part in (symbols, rows, ends[:-1], ends[1:])
    ]
    return Words(*as_tensor)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("un", [0]),
        ("unable", [1]),
        ("unaffable", [0, 2, 4, 3]),  # un ##a ##ff ##able
        ("unabl", [UNKNOWN]),  # un ##a ##b, then no ##l
        ("unab", [0, 2, 6]),  # back from unab(le)
        ("able", [UNKNOWN]),  # only known as a continuation
        ("é", [9]),
        ("xb", [UNKNOWN]),
        ("bx", [UNKNOWN]),
        ("bbbbbbbbbb", [5, *[6] * 9]),
        ("bbbbbbbbbbb", [UNKNOWN]),  # eleven characters
        ("u", [UNKNOWN]),
    ],
)
def test_word_becomes_its_longest_tokens(
    match: Match, word: str, expected: list[int]
) -> None:
    ids, rows = match(words_of([[word]]))
    assert ids.numpy().tolist() == expected
    assert rows.numpy().tolist() == [0] * len(expected)


def test_tokens_come_in_reading_order_with_their_rows(
    match: Match,
) -> None:
    texts = [["unab", "b"], [], ["bxb", "unable", "x"], ["un"]]
    ids, rows = match(words_of(texts))
    assert ids.numpy().tolist() == [0, 2, 6, 5, UNKNOWN, 1, UNKNOWN, 0]
    assert rows.numpy().tolist() == [0, 0, 0, 0, 2, 2, 2, 3]


def test_no_words_give_no_tokens(match: Match) -> None:
    ids, rows = match(words_of([[], []]))
    assert ids.shape == rows.shape == (0,)
