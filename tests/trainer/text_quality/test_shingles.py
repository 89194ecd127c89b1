from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainer
from trainer.text_quality.shingles import shingle, shingles_of, tokens


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Red-tea, CUP_2", ["red", "tea", "cup", "2"]),
        ("Straße", ["strasse"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("红茶杯", ["红", "茶", "杯"]),
        ("红茶tea杯2件", ["红", "茶", "tea", "杯", "2", "件"]),
        ("すし屋", ["す", "し", "屋"]),
        ("새 신발", ["새", "신발"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("كِتَاب", ["كِتَاب"]),
        ("😀 !!", []),
        ("", []),
    ],
)
def test_tokens_are_words_or_characters(text, found):
    assert tokens(text) == found


def test_shingles_are_pairs_of_neighbours():
    assert shingles_of("a b c a b") == {"a b", "b c", "c a"}
    assert shingles_of("红茶杯") == {"红 茶", "茶 杯"}


def test_a_lone_word_is_a_shingle():
    assert shingles_of("Dress!") == {"dress"}
    assert shingles_of("!") == set()


WORDS = st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join)


@given(st.lists(WORDS, min_size=2, max_size=5))
def test_jaccard_is_that_of_the_sets_of_pairs(texts):
    made = shingle(texts)
    assert len(made) == len(texts)
    for row, text in enumerate(texts):
        for other, theirs in enumerate(texts):
            mine, their = pairs(text), pairs(theirs)
            union = mine | their
            share = len(mine & their) / len(union) if union else 0.0
            assert made.jaccard(row, other) == share


def pairs(text: str) -> set[tuple[str, ...]]:
    """Pairs of neighbours, the slow way."""
    words = text.split()
    if len(words) == 1:
        return {tuple(words)}
    return {tuple(words[at : at + 2]) for at in range(len(words) - 1)}


def test_another_process_makes_the_same_hashes():
    code = (
        "from trainer.text_quality.shingles import shingle\n"
        "print(shingle(['red tea cup']).hashes.tolist())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        check=True, env={
            "PYTHONPATH": str(Path(trainer.__file__).parents[1]),
            "PYTHONHASHSEED": "7",
        },
    ).stdout
    assert told.strip() == str(shingle(["red tea cup"]).hashes.tolist())
