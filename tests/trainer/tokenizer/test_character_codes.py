from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from trainer.tokenizer.character_codes import (
    ALONE,
    BREAK,
    DROP,
    LETTER,
    all_codes,
    check_mark_order,
)

SYMBOLS = {"a": 1, "\u1100": 2, "\u1161": 3, "中": 4, "豈": 5}
NON_SPACING_MARK = "\u0301"


def backend(normalizer: normalizers.Normalizer) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


@pytest.fixture(scope="module")
def uncased() -> tuple[list[int], list[tuple[int, ...]]]:
    codes, sequences = all_codes(backend(normalizers.BertNormalizer()), SYMBOLS)
    return codes.tolist(), sequences


@pytest.mark.parametrize(
    ("character", "symbol", "kind"),
    [
        ("a", 1, LETTER),
        ("A", 1, LETTER),
        ("Á", 1, LETTER),
        ("z", 0, LETTER),
        ("中", 4, ALONE),
        ("\uf900", 5, ALONE),  # a compatibility form of the unified 豈
        ("。", 0, ALONE),
        ("|", 0, ALONE),
        ("0", 0, LETTER),
        ("\u3000", 0, BREAK),
        ("\u0378", 0, LETTER),  # unassigned
    ],
)
def test_code_tells_symbol_and_kind(
    uncased: tuple[list[int], list[tuple[int, ...]]],
    character: str,
    symbol: int,
    kind: int,
) -> None:
    assert divmod(uncased[0][ord(character)], 4) == (symbol, kind)


@pytest.mark.parametrize(
    "character", ["\0", "\u200d", NON_SPACING_MARK, "\ue000", "\ufffd"]
)
def test_dropped_characters_have_the_code_of_dropping(
    uncased: tuple[list[int], list[tuple[int, ...]]], character: str
) -> None:
    assert uncased[0][ord(character)] == DROP


def test_hangul_syllable_becomes_the_sequence_of_its_letters(
    uncased: tuple[list[int], list[tuple[int, ...]]],
) -> None:
    codes, sequences = uncased
    assert sequences[-1 - codes[ord("가")]] == (2 * 4, 3 * 4)


def test_cased_tokenizer_keeps_capitals_and_accents() -> None:
    cased = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    codes, _ = all_codes(backend(cased), {"Á": 1, "a": 2})
    assert codes[ord("Á")] == 1 * 4 + LETTER
    assert codes[ord("A")] == 0 * 4 + LETTER


def test_each_vocabulary_has_its_own_codes_of_one_tokenizer() -> None:
    tokenizer = backend(normalizers.BertNormalizer())
    codes, _ = all_codes(tokenizer, {"a": 1, "\u1100": 2})
    codes[:] = DROP  # theirs to change
    codes, sequences = all_codes(
        tokenizer, {"z": 7, "\u1161": 3, NON_SPACING_MARK: 9}
    )
    assert codes[ord("Z")] == 7 * 4 + LETTER
    assert codes[ord("Á")] == 0 * 4 + LETTER
    assert sequences[-1 - codes[ord("가")]] == (0 * 4, 3 * 4)
    assert codes[ord(NON_SPACING_MARK)] == DROP


def test_normalizer_that_joins_characters_is_refused() -> None:
    joining = normalizers.Replace("|0|", "")
    with pytest.raises(ValueError, match="one by one"):
        all_codes(backend(joining), {chr(p): p for p in range(1, 999)})


def test_two_sorted_classes_of_marks_in_a_vocabulary_are_refused() -> None:
    with pytest.raises(ValueError, match="combining marks"):
        check_mark_order(
            backend(normalizers.BertNormalizer()),
            {"a": 1, "\U0001d165": 2, "\U0001d16d": 3},
        )


def test_one_class_of_marks_in_a_vocabulary_is_fine() -> None:
    check_mark_order(
        backend(normalizers.BertNormalizer()),
        {"a": 1, NON_SPACING_MARK: 2, "\U0001d165": 3, "\U0001d166": 4},
    )
