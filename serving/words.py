"""Words of a text, in scripts with spaces and without."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MAX_WORDS = 64  # of a text; what follows, most encoders do not read either
_WORD = re.compile(r"[^\W_]+")
# Scripts that are written without spaces: Han, Hiragana and Katakana.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def words_of(text: str) -> list[str]:
    """Distinct words in lower case, in order; pairs of characters where a
    script has no spaces.

    Example:
        >>> words_of("Red tea, red CUP. 红茶杯")
        ['red', 'tea', 'cup', '红茶', '茶杯']
    """
    return list(dict.fromkeys(_split(text.lower())))[:_MAX_WORDS]


def _split(text: str) -> Iterator[str]:
    for word in _WORD.findall(_UNSPACED.sub(r" \g<0> ", text)):
        if _UNSPACED.match(word):
            yield from (word[at : at + 2] for at in range(len(word) - 1))
        elif len(word) > 1:
            yield word
