"""Texts as word pieces, and batches of texts of like length."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

_STEP = 8  # widths are multiples of it: few shapes, little padding


@dataclasses.dataclass(frozen=True)
class TokenTable:
    """The word pieces of texts, padded.

    Attributes:
        ids: [texts, pieces] int32.
        words: [texts, pieces] int32 number of the word that a piece is of,
            from 0; -1 for special tokens and padding.
        lengths: [texts] int64 pieces of each text, special ones included.
    """

    ids: np.ndarray
    words: np.ndarray
    lengths: np.ndarray

    def rows(self, chosen: np.ndarray) -> TokenTable:
        """Some of the texts, as wide as the longest of them needs."""
        lengths = self.lengths[chosen]
        width = padded(int(lengths.max(initial=1)))
        return TokenTable(
            self.ids[chosen, :width], self.words[chosen, :width], lengths
        )


def padded(length: int) -> int:
    """The width that a text's batch has."""
    return -(-length // _STEP) * _STEP


def tokenize(
    tokenizer: Any, texts: Sequence[str], max_tokens: int
) -> TokenTable:
    """Tokenizes texts with a fast tokenizer."""
    found = tokenizer(list(texts), truncation=True, max_length=max_tokens)
    lengths = np.array([len(ids) for ids in found["input_ids"]], np.int64)
    shape = (len(texts), padded(int(lengths.max(initial=1))))
    ids = np.full(shape, tokenizer.pad_token_id, np.int32)
    words = np.full(shape, -1, np.int32)
    for row, pieces in enumerate(found["input_ids"]):
        ids[row, : len(pieces)] = pieces
        words[row, : len(pieces)] = [
            -1 if word is None else word for word in found.word_ids(row)
        ]
    return TokenTable(ids, words, lengths)


def batches_by_tokens(
    lengths: np.ndarray, budget: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Shuffles texts into batches of like length and about equal cost.

    Texts are sorted by length, those of one length at random, and cut into
    batches of at most `budget` pieces with padding, or of one text. How many
    batches there are depends on the lengths alone.

    Args:
        lengths: [texts] pieces of each text.
        budget: pieces of a batch.
        generator: of the draws.

    Returns:
        Rows of each batch; each text occurs once.
    """
    order = generator.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    batches: list[np.ndarray] = []
    first = 0
    for at in range(1, len(order) + 1):
        is_last = at == len(order)
        if is_last or (at - first + 1) * padded(lengths[order[at]]) > budget:
            batches.append(order[first:at])
            first = at
    return [batches[i] for i in generator.permutation(len(batches))]
