"""Strings of many scripts, and a comparison that finds what differs."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from benchmarks.language import tokenizer
from benchmarks.language.tokenizer import drawn_strings, main, unequal
from trainer.fresh_encoder import learn_tokenizer

SPECIALS = ["[MASK]", "[SEP]"]


@pytest.fixture(scope="module")
def strings() -> list[str]:
    return drawn_strings(2000, SPECIALS, np.random.default_rng(3))


def test_strings_are_of_many_scripts_and_lengths(strings):
    assert strings == drawn_strings(2000, SPECIALS, np.random.default_rng(3))
    scripts = {
        unicodedata.name(letter, "?").split(" ")[0]
        for text in strings
        for letter in text
    }
    assert scripts > {
        "LATIN", "GREEK", "CYRILLIC", "ARABIC", "DEVANAGARI", "THAI", "HANGUL",
        "KATAKANA", "CJK", "FULLWIDTH", "COMBINING",
    }
    lengths = [len(text) for text in strings]
    assert min(lengths) == 0
    assert 75 < max(lengths) <= 80 + max(map(len, SPECIALS))
    with_special = [t for t in strings if any(s in t for s in SPECIALS)]
    assert 0.05 < len(with_special) / len(strings) < 0.15
    "".join(strings).encode()  # no half of a surrogate pair


def test_strings_whose_ids_differ_are_found(
    strings, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    hf = learn_tokenizer(strings, 500, tmp_path)
    assert unequal(hf, strings[:700], "words") == []
    ids_of = tokenizer.ids_of

    def changed(hf, texts):
        ids = ids_of(hf, texts)
        if strings[600] in texts:
            ids[texts.index(strings[600]), 1] += 1
        return ids

    monkeypatch.setattr(tokenizer, "ids_of", changed)
    assert unequal(hf, strings[:700], "words") == [strings[600]]


def test_the_command_prints_a_row_for_each_vocabulary(
    capsys: pytest.CaptureFixture[str],
):
    assert main(["--strings", "40"]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == list(
        tokenizer.VOCABULARIES
    )
    assert all(row.split(" | ")[2:4] == ["40", "0"] for row in rows)
