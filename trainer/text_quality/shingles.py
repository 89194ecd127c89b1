"""Texts as sets of shingles: pairs of neighbouring tokens.

A token is a word, or a single character in scripts that do not part words by
spaces: there two neighbours are what a pair of words is elsewhere.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
from tqdm import tqdm

# Han, kana, Thai, Lao, Burmese, Khmer; from the third plane on, rare Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Marks that are no letters to `re` and stand within words: accents, Hebrew
# points, Arabic vowels, and the vowels of Indian scripts but their full stops.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
)
_TOKEN = re.compile(
    rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))+"
)
_HASH_BYTES = 8  # of 10 million shingles, two share one once in 400,000 times


@dataclasses.dataclass(frozen=True)
class Shingles:
    """The shingles of N texts, one text after the other.

    Attributes:
        hashes: [S] uint64; sorted and distinct within a text.
        starts: [N + 1] int64, where each text begins, and the end.
    """

    hashes: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of(self, row: int) -> np.ndarray:
        """[n] uint64 of one text."""
        return self.hashes[self.starts[row] : self.starts[row + 1]]

    def jaccard(self, row: int, other: int) -> float:
        """Shared shingles of two texts over all of them; 0 of empty ones."""
        mine, theirs = self.of(row), self.of(other)
        shared = len(np.intersect1d(mine, theirs, assume_unique=True))
        return shared / max(len(mine) + len(theirs) - shared, 1)


def tokens(text: str) -> list[str]:
    """Words, and characters of scripts without spaces, whatever their case.

    Example:
        >>> tokens("Tea-Cup, \u8336\u676f 2")
        ['tea', 'cup', '\u8336', '\u676f', '2']
    """
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def shingles_of(text: str) -> set[str]:
    """Pairs of neighbouring tokens; a lone token is one by itself."""
    words = tokens(text)
    if len(words) == 1:
        return set(words)
    return {f"{a} {b}" for a, b in zip(words, words[1:], strict=False)}


def _hash(shingle: str) -> int:
    # Python's own hash differs from process to process.
    digest = hashlib.blake2b(shingle.encode(), digest_size=_HASH_BYTES)
    return int.from_bytes(digest.digest(), "little")


def shingle(texts: Iterable[str]) -> Shingles:
    """The shingles of every text; none of a text without a word."""
    parts = [
        np.array(sorted(map(_hash, shingles_of(text))), np.uint64)
        for text in tqdm(texts, desc="shingles", unit=" texts")
    ]
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return Shingles(np.concatenate([np.zeros(0, np.uint64), *parts]), starts)
