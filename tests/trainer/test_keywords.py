"""Words that two texts share, by hand."""

from __future__ import annotations

import pytest
import tensorflow as tf

from serving.words import words_of
from trainer.keywords import shared_words, telling_words


@pytest.mark.parametrize(
    "text, words",
    [
        ("Red tea, red CUP.", ["red", "tea", "cup"]),
        ("", []),
        ("a 7 x!", []),  # a single letter tells nothing
        ("Größe 42 ☕", ["größe", "42"]),
        ("红茶杯 cup", ["红茶", "茶杯", "cup"]),
        ("T恤衫", ["恤衫"]),
        ("one_two", ["one", "two"]),
    ],
)
def test_words_are_distinct_and_in_order(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_long_text_is_read_up_to_its_64th_word() -> None:
    words = words_of(" ".join(f"w{number}" for number in range(200)))
    assert words == [f"w{number}" for number in range(64)]


def test_words_that_many_texts_have_are_left_out() -> None:
    texts = ["the cup"] * 10 + ["the pot"]
    assert telling_words(texts) == ["cup"] * 10 + ["pot"]


def test_of_many_texts_a_tenth_may_share_a_word() -> None:
    texts = [f"w{number % 10} v{number % 8}" for number in range(160)]
    found = telling_words(texts)
    assert found[3] == "w3"  # in 16 texts; v3 is in 20


def test_shared_words_stand_in_the_order_of_the_items_own_text() -> None:
    own = tf.constant(["red tea cup", "", "blue"])
    others = tf.constant(
        [["cup big red", "pot", ""], ["red", "", ""], ["blue", "blues", ""]]
    )
    assert shared_words(own, others).numpy().tolist() == [
        [b"red cup", b"", b""], [b"", b"", b""], [b"blue", b"", b""]
    ]


def test_texts_without_any_word_share_none() -> None:
    found = shared_words(tf.constant([""]), tf.constant([["", ""]]))
    assert found.numpy().tolist() == [[b"", b""]]
