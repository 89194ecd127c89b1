"""Words are compared with those that the tokenizers library finds."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from trainer.tokenizer.text_normalizer import TextNormalizer, Words

TEXTS = [
    "Ab, cd!!  é\u0301x",
    "",
    "中ab文 \t가a가",
    " \u200d ",
    "a\u0000b.c",
    "!",
    "!",
]
# Every character that may come out, so that a word can be spelled again.
ALPHABET = "abcdefxz.,! 中文가*"
SYMBOLS = {character: i for i, character in enumerate(ALPHABET, start=1)}


@pytest.fixture(scope="module")
def backend() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


@pytest.fixture(scope="module")
def normalizer(backend: Tokenizer) -> TextNormalizer:
    return TextNormalizer(backend, SYMBOLS, standalone="z")


def spell(words: Words, num_texts: int) -> list[list[str]]:
    spelled: list[list[str]] = [[] for _ in range(num_texts)]
    letters = "".join(("?" + ALPHABET)[i] for i in words.symbols.numpy())
    for start, end in zip(words.starts, words.ends, strict=True):
        spelled[int(words.rows[start])].append(letters[start:end])
    return spelled


def test_words_are_those_of_the_library(
    backend: Tokenizer, normalizer: TextNormalizer
) -> None:
    expected = [
        [
            word
            for word, _ in backend.pre_tokenizer.pre_tokenize_str(
                backend.normalizer.normalize_str(text)
            )
        ]
        for text in TEXTS
    ]
    words = normalizer.find_words(tf.constant(TEXTS))
    assert spell(words, len(TEXTS)) == expected


def test_standalone_character_is_a_word_of_its_own(
    normalizer: TextNormalizer,
) -> None:
    words = normalizer.find_words(tf.constant(["azb", "zz"]))
    assert spell(words, 2) == [["a", "z", "b"], ["z", "z"]]


def test_words_are_counted_per_text(normalizer: TextNormalizer) -> None:
    words = normalizer.find_words(tf.constant(["a b", "", "!!!", " "]))
    assert words.per_text(tf.constant(4)).numpy().tolist() == [2, 0, 3, 0]


@pytest.mark.parametrize("limit", [0, 1, 2, 9])
def test_first_keeps_the_first_words_of_each_text(
    normalizer: TextNormalizer, limit: int
) -> None:
    words = normalizer.find_words(tf.constant(["ab c d", "", "e!f"]))
    expected = [["ab", "c", "d"][:limit], [], ["e", "!", "f"][:limit]]
    assert spell(words.first(limit, tf.constant(3)), 3) == expected
