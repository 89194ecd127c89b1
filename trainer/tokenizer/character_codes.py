"""What BERT's normalizer and pre-tokenizer make of each character.

Both act on one character at a time: a character is dropped, kept, ends a word,
is a word of its own, or becomes other characters. So a table over all code
points, asked of the tokenizer itself, can stand in for them. The one thing
that looks at neighbours is the canonical order of combining marks;
`check_mark_order` refuses the vocabularies in which it would matter.
"""

from __future__ import annotations

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class _Treatment:
    """What a normalizer and a pre-tokenizer make of each code point.

    Attributes:
        targets: [0x110000] int32 the code point that it becomes; -1 - i stands
            for the i-th sequence.
        kinds: [0x110000] int32 LETTER, BREAK, ALONE or DROP; 0 of sequences.
        sequences: of characters, each with its kind.
    """

    targets: npt.NDArray[np.int32]
    kinds: npt.NDArray[np.int32]
    sequences: tuple[tuple[tuple[str, int], ...], ...]


# By what normalizer and pre-tokenizer say of themselves; there are few kinds.
_KNOWN: dict[tuple[bytes, bytes], _Treatment] = {}


def _treatment(backend: Any) -> _Treatment:
    """Of a tokenizer, whatever its vocabulary; asked once, for a second."""
    normalizer, pre_tokenizer = backend.normalizer, backend.pre_tokenizer
    key = (normalizer.__getstate__(), pre_tokenizer.__getstate__())
    if key not in _KNOWN:
        _KNOWN[key] = _asked(normalizer, pre_tokenizer)
    return _KNOWN[key]


def _asked(normalizer: Any, pre_tokenizer: Any) -> _Treatment:
    targets = np.arange(_CODE_POINTS, dtype=np.int32)
    kinds = np.full(_CODE_POINTS, DROP, np.int32)
    sequences: dict[tuple[tuple[str, int], ...], int] = {}
    points = [p for p in range(_CODE_POINTS) if p not in _SURROGATES]
    for first in range(0, len(points), _CHUNK):
        chunk = points[first : first + _CHUNK]
        characters = [chr(point) for point in chunk]
        common = _common_kind(normalizer, pre_tokenizer, characters)
        if common is not None:
            kinds[chunk] = common
            continue
        found = _result_of_each(normalizer, pre_tokenizer, characters)
        for point, result in zip(chunk, found, strict=True):
            if len(result) == 1:
                [(character, kinds[point])] = result
                targets[point] = ord(character)
            elif result:
                index = sequences.setdefault(result, len(sequences))
                targets[point], kinds[point] = -1 - index, 0
    return _Treatment(targets, kinds, tuple(sequences))


def _common_kind(
    normalizer: Any, pre_tokenizer: Any, characters: list[str]
) -> int | None:
    """The kind of all characters where all are dropped or letters that stay.

    That is most of Unicode, and asking at once takes a tenth of the time.
    """
    joined = "".join(characters)
    normalized = normalizer.normalize_str(joined)
    if not normalized:
        return DROP
    is_one_word = normalized == joined and pre_tokenizer.pre_tokenize_str(
        joined
    ) == [(joined, (0, len(joined)))]
    return LETTER if is_one_word else None


def _result_of_each(
    normalizer: Any, pre_tokenizer: Any, characters: list[str]
) -> list[tuple[tuple[str, int], ...]]:
    """The characters that each becomes and their kinds, none where dropped."""
    texts = _normalize_each(normalizer, characters)
    seen = sorted(set("".join(texts)))
    kinds = _kind_of_each(pre_tokenizer, seen)
    kind_of = dict(zip(seen, kinds, strict=True))
    return [
        # The spaces around a Chinese character say what ALONE says.
        ((text[1], ALONE),)
        if len(text) == 3 and text[0] == text[2] == " "
        else tuple((character, kind_of[character]) for character in text)
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
    treatment = _treatment(backend)
    targets, kinds = treatment.targets, treatment.kinds
    symbol_of = np.full(_CODE_POINTS, UNKNOWN_SYMBOL, np.int32)
    symbol_of[[ord(each) for each in symbols]] = list(symbols.values())
    codes = symbol_of[np.maximum(targets, 0)] * 4 + kinds
    codes[kinds == DROP] = DROP
    # Characters that no token has are alike, and so are their sequences.
    numbers: dict[tuple[int, ...], int] = {}
    number_of = [
        numbers.setdefault(
            tuple(
                symbols.get(character, UNKNOWN_SYMBOL) * 4 + kind
                for character, kind in sequence
            ),
            len(numbers),
        )
        for sequence in treatment.sequences
    ]
    at = np.flatnonzero(targets < 0)
    codes[at] = -1 - np.array(number_of, np.int32)[-1 - targets[at]]
    return codes, list(numbers)


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
