"""What BERT's normalizer and pre-tokenizer make of each character.

Both act on one character at a time: a character is dropped, kept, ends a word,
is a word of its own, or becomes other characters. So a table over all code
points, asked of the tokenizer itself, can stand in for them. The one thing
that looks at neighbours is the canonical order of combining marks;
`check_mark_order` refuses the vocabularies in which it would matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# What a character does. A code is `symbol * 4 + kind`, so that the low bits
# tell the kind.
LETTER, BREAK, ALONE, DROP = range(4)
UNKNOWN_SYMBOL = 0  # a character that no token of the vocabulary has
_CODE_POINTS = 0x110000
_SURROGATES = range(0xD800, 0xE000)  # UTF-8 has none
_CHUNK = 1024  # characters per call of the tokenizers library
# Splits back into the characters that it joined whatever they are, `|` and `0`
# included: no proper part of it both starts and ends it but the `|`.
_SEPARATOR = "|0|"
# Two marks of low and high combining class that keep their own category, so
# that neither is stripped as an accent.
_LOW_MARK, _HIGH_MARK = "\U0001d165", "\U0001d16d"


def _normalize_each(normalizer: Any, characters: list[str]) -> list[str]:
    joined = normalizer.normalize_str(_SEPARATOR.join(characters))
    parts: list[str] = joined.split(_SEPARATOR)
    if len(parts) != len(characters):
        raise ValueError(
            f"{normalizer} does not treat characters one by one: got "
            f"{len(parts)} results for {len(characters)} characters. Use a "
            "tokenizer with a BertNormalizer."
        )
    return parts


def _kind_of_each(pre_tokenizer: Any, characters: list[str]) -> list[int]:
    """LETTER, BREAK or ALONE, from what `a?a` is split into."""
    probes = " ".join(f"a{character}a" for character in characters)
    pieces = pre_tokenizer.pre_tokenize_str(probes)
    probe_of_piece = [start // 4 for _, (start, _) in pieces]
    counts = np.bincount(probe_of_piece, minlength=len(characters))
    return [(LETTER, BREAK, ALONE)[count - 1] for count in counts]


def _common_code(
    backend: Any, symbols: Mapping[str, int], characters: list[str]
) -> int | None:
    """The code of all characters where all are dropped or unknown letters.

    That is most of Unicode, and asking at once takes a tenth of the time.
    """
    joined = "".join(characters)
    normalized = backend.normalizer.normalize_str(joined)
    if not normalized:
        return DROP
    is_one_word = (
        symbols.keys().isdisjoint(characters)
        and normalized == joined
        and backend.pre_tokenizer.pre_tokenize_str(joined)
        == [(joined, (0, len(joined)))]
    )
    return UNKNOWN_SYMBOL * 4 + LETTER if is_one_word else None


def _code_of_each(
    backend: Any, symbols: Mapping[str, int], characters: list[str]
) -> list[tuple[int, ...]]:
    """The codes that each of the characters becomes, none where dropped."""
    texts = _normalize_each(backend.normalizer, characters)
    seen = sorted(set("".join(texts)))
    kinds = _kind_of_each(backend.pre_tokenizer, seen)
    code_of = {
        character: symbols.get(character, UNKNOWN_SYMBOL) * 4 + kind
        for character, kind in zip(seen, kinds, strict=True)
    }
    return [
        # The spaces around a Chinese character say what ALONE says.
        (code_of[text[1]] & ~3 | ALONE,)
        if len(text) == 3 and text[0] == text[2] == " "
        else tuple(code_of[character] for character in text)
        for text in texts
    ]


def all_codes(
    backend: Any, symbols: Mapping[str, int]
) -> tuple[npt.NDArray[np.int32], list[tuple[int, ...]]]:
    """The code of each code point.

    Args:
        backend: a `tokenizers.Tokenizer`.
        symbols: number of each character that tokens are made of, from 1.

    Returns:
        [0x110000] int32 codes, where -1 - i stands for the i-th sequence; and
        the sequences of codes.
    """
    codes = np.full(_CODE_POINTS, DROP, np.int32)
    sequences: dict[tuple[int, ...], int] = {}
    points = [p for p in range(_CODE_POINTS) if p not in _SURROGATES]
    for first in range(0, len(points), _CHUNK):
        chunk = points[first : first + _CHUNK]
        characters = [chr(point) for point in chunk]
        common = _common_code(backend, symbols, characters)
        if common is not None:
            codes[chunk] = common
            continue
        found = _code_of_each(backend, symbols, characters)
        for point, sequence in zip(chunk, found, strict=True):
            if len(sequence) == 1:
                codes[point] = sequence[0]
            elif sequence:
                index = sequences.setdefault(sequence, len(sequences))
                codes[point] = -1 - index
    return codes, list(sequences)


def check_mark_order(backend: Any, symbols: Mapping[str, int]) -> None:
    """Refuses vocabularies whose tokens need combining marks to be sorted.

    Marks that an accent-stripping normalizer keeps are sorted by it. A word
    with a mark that no token has is unknown in any order, so the order counts
    only where the vocabulary has marks of two combining classes.

    Raises:
        ValueError: names two such marks.
    """

    def swaps(first: str, second: str) -> bool:
        pair: str = backend.normalizer.normalize_str(first + second)
        return pair == second + first != first + second

    marks = [
        character
        for character in symbols
        if swaps(_HIGH_MARK, character) or swaps(character, _LOW_MARK)
    ]
    for first in marks:
        for second in marks:
            if swaps(first, second):
                raise ValueError(
                    f"The vocabulary has the combining marks {first!a} and "
                    f"{second!a}, which the normalizer sorts; this is not "
                    "supported. Use a tokenizer without one of them."
                )
