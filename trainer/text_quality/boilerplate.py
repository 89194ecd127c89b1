"""Sentences that stand word for word in many descriptions.

What a twentieth of the catalogue says does not tell items apart, and takes
the room of what does: an encoder reads only the first word pieces of a text.
"""

from __future__ import annotations

import collections
import itertools
import math
import re
from collections.abc import Collection, Iterable, Sequence

FEWEST_ITEMS = 5  # whatever the share: chance repeats in a small catalogue
_END = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])\s*")


def sentences(lines: Iterable[str]) -> list[str]:
    """The sentences of clean lines; a line's end ends a sentence.

    Example:
        >>> sentences(["Soft. Size 4.5", "\u597d\u3002\u771f\u597d\u3002"])
        ['Soft.', 'Size 4.5', '\u597d\u3002', '\u771f\u597d\u3002']
    """
    parts = itertools.chain.from_iterable(map(_END.split, lines))
    return [part for part in parts if part]


def count_items(texts: Iterable[Iterable[str]]) -> collections.Counter[str]:
    """Sentence -> how many items have it, once or more often.

    Args:
        texts: the sentences of each item.
    """
    return collections.Counter(
        itertools.chain.from_iterable(map(set, texts))
    )


def find_boilerplate(
    texts: Sequence[Sequence[str]], share: float
) -> dict[str, int]:
    """Sentences that too many items share, the most frequent first.

    Args:
        texts: [items] the sentences of each.
        share: of the items with any sentence that must have it, and at least
            `FEWEST_ITEMS` of them.

    Returns:
        Sentence -> how many items have it.
    """
    spoken = sum(1 for text in texts if text)
    fewest = max(FEWEST_ITEMS, math.ceil(share * spoken))
    counts = count_items(texts).items()
    found = [(sentence, n) for sentence, n in counts if n >= fewest]
    return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def without(text: Sequence[str], boilerplate: Collection[str]) -> str:
    """What the sentences of a text say when those of all items are gone."""
    return " ".join(part for part in text if part not in boilerplate)
