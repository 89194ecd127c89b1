"""Whole-word masking (Devlin et al., arXiv 1810.04805, and its 2019 update).

All pieces of a chosen word are hidden together, so that none can be told from
the others. Axes: B texts, L word pieces, M hidden word pieces.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from trainer.pretraining.token_batches import TokenTable

NO_WORD = -1  # of special tokens and padding
_MASKED, _RANDOM = 0.8, 0.1  # shares of hidden words; the rest stay as read


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """What masking must know of a tokenizer.

    Attributes:
        mask_id: stands for a hidden piece.
        ordinary_ids: [pieces] int32 without the special tokens: what may
            stand in a hidden piece's place.
    """

    mask_id: int
    ordinary_ids: np.ndarray

    @classmethod
    def of(cls, tokenizer: Any) -> Vocabulary:
        """Reads a Hugging Face tokenizer.

        Raises:
            ValueError: if it has no token to mask with.
        """
        if tokenizer.mask_token_id is None:
            raise ValueError(
                "encoder: its tokenizer has no mask token, so that it cannot "
                "be trained on masked text; give one of the BERT family."
            )
        every = np.arange(len(tokenizer), dtype=np.int32)
        is_special = np.isin(every, tokenizer.all_special_ids)
        return cls(tokenizer.mask_token_id, every[~is_special])


class Masked(NamedTuple):
    """A batch with hidden words."""

    ids: np.ndarray  # [B, L] int32
    places: np.ndarray  # [M, 2] int32 text, piece
    labels: np.ndarray  # [M] int32, the ids that were there


def hide_words(
    table: TokenTable,
    vocabulary: Vocabulary,
    share: float,
    generator: np.random.Generator,
) -> Masked:
    """Hides a share of each text's words, and one word at least.

    Args:
        table: ids and words of B texts.
        vocabulary: of its tokenizer.
        share: of words to hide.
        generator: of the draws.
    """
    ids, words = table.ids, table.words
    lots = _word_lots(words, generator)
    is_hidden = lots <= np.maximum(share, lots.min(axis=1, keepdims=True))
    ways = generator.random(lots.shape)
    hidden = _of_pieces(is_hidden, words) & (words != NO_WORD)
    way = _of_pieces(ways, words)
    noise = generator.choice(vocabulary.ordinary_ids, size=ids.shape)
    shown = np.where(way < _MASKED, vocabulary.mask_id, ids)
    is_random = (way >= _MASKED) & (way < _MASKED + _RANDOM)
    shown = np.where(is_random, noise, shown)
    places = np.argwhere(hidden).astype(np.int32)
    return Masked(
        np.where(hidden, shown, ids).astype(np.int32), places, ids[hidden]
    )


def drop_words(
    table: TokenTable,
    share: float,
    pad_id: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Leaves a share of each text's words out, and never all of them.

    Returns:
        [B, L] int32 ids with padding in the place of what is left out.
    """
    lots = _word_lots(table.words, generator)
    is_dropped = (lots >= 1 - share) & (lots > lots.min(axis=1)[:, None])
    dropped = _of_pieces(is_dropped, table.words) & (table.words != NO_WORD)
    return np.where(dropped, pad_id, table.ids).astype(np.int32)


def _word_lots(
    words: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """[B, words] draws in [0, 1); infinity beyond a text's last word."""
    lots = generator.random((len(words), int(words.max(initial=0)) + 1))
    counts = words.max(axis=1) + 1
    lots[np.arange(lots.shape[1]) >= counts[:, None]] = np.inf
    return lots


def _of_pieces(of_words: np.ndarray, words: np.ndarray) -> np.ndarray:
    """[B, words] values -> [B, L] of the word that a piece is of."""
    return np.take_along_axis(of_words, np.maximum(words, 0), axis=1)
