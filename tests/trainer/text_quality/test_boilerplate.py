from __future__ import annotations

import pytest

from trainer.text_quality.boilerplate import (
    count_items,
    find_boilerplate,
    sentences,
    without,
)

FREE = "Free shipping!"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["One. Two! Three? Four"], ["One.", "Two!", "Three?", "Four"]),
        (["One", "Two"], ["One", "Two"]),
        (["Size 4.5 x 3.2 cm"], ["Size 4.5 x 3.2 cm"]),
        (["\u597d\u3002\u771f\u597d\uff01\u5417\uff1f\u662f"],
         ["\u597d\u3002", "\u771f\u597d\uff01", "\u5417\uff1f", "\u662f"]),
        ([], []),
    ],
)
def test_sentences_end_at_marks_and_lines(lines, found):
    assert sentences(lines) == found


def test_an_item_counts_once_however_often_it_says_it():
    assert count_items([["a", "a", "b"], ["a"]]) == {"a": 2, "b": 1}


def test_the_share_is_of_the_items_that_say_anything():
    # 100 items speak, 10 of them say it; 900 are silent.
    spoken = [[FREE, f"item {i}"] for i in range(10)]
    spoken += [[f"item {i}"] for i in range(10, 100)]
    texts = spoken + [[]] * 900
    assert find_boilerplate(texts, 0.10) == {FREE: 10}
    assert find_boilerplate(texts, 0.11) == {}


def test_a_few_repeats_are_chance_whatever_the_share():
    texts = [[FREE, f"item {i}"] for i in range(4)]
    assert find_boilerplate(texts, 0.05) == {}
    assert find_boilerplate([*texts, [FREE]], 0.05) == {FREE: 5}


def test_the_most_frequent_comes_first():
    texts = [["b", "a", "c"]] * 5 + [["c"]]
    assert list(find_boilerplate(texts, 0.05)) == ["c", "a", "b"]


def test_other_words_are_another_sentence():
    texts = [[f"Free shipping {word}"] for word in "abcdefghij"]
    assert find_boilerplate(texts, 0.05) == {}


def test_what_is_left_keeps_its_order():
    assert without(["A.", FREE, "B.", FREE], {FREE}) == "A. B."
    assert without([FREE], {FREE}) == ""
