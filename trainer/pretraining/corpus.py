"""The texts that a language model learns from, and which are held out."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Sequence

import numpy as np

from trainer.behaviour import Sequences
from trainer.catalogue import join_text
from trainer.config import DataConfig, RunConfig, TrainingConfig
from trainer.prepare import prepare
from trainer.pretraining.config import PretrainingConfig
from trainer.tables import Dataset
from trainer.text_config import TextConfig

_FEWEST = 2  # one to learn from, one to measure on


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A catalogue's texts and the order in which users met them.

    Attributes:
        sequences: all events with their split, items being catalogue codes.
        texts: [items] what an encoder reads of an item.
        titles, rests: [items] the two parts of a text; "" where it has only
            one.
        profiles: distinct texts of users' profiles.
    """

    sequences: Sequences
    texts: list[str]
    titles: list[str]
    rests: list[str]
    profiles: list[str] = dataclasses.field(default_factory=list)

    @property
    def distinct(self) -> list[str]:
        """Distinct texts with anything in them."""
        return list(dict.fromkeys(text for text in self.texts if text))

    def apart_from(self, held_out: Sequence[str]) -> list[str]:
        """Distinct texts, titles, rests and profiles but those held out.

        What only held-out items have is not among them, in no part.
        """
        left_out = set(held_out)
        rows = zip(self.texts, self.titles, self.rests, strict=True)
        items = [row for row in rows if row[0] not in left_out]
        parts = itertools.chain(*items, self.profiles)
        return list(
            dict.fromkeys(
                part for part in parts if part and part not in left_out
            )
        )


def read_corpus(
    dataset: Dataset, data: DataConfig, settings: PretrainingConfig
) -> Corpus:
    """The catalogue's text under the split that a run would have.

    Raises:
        ValueError: if there is hardly any text.
    """
    config = RunConfig(
        data=data,
        text=TextConfig(text_columns=settings.text_columns),
        training=TrainingConfig(seed=settings.seed),
    )
    prepared = prepare(dataset, config)
    order = np.argsort(prepared.catalogue.code_of)

    def joined(names: Sequence[str]) -> list[str]:
        empty = [""] * len(order)
        columns = [dataset.items.columns.get(name, empty) for name in names]
        rows = [[column[row] for column in columns] for row in order]
        return [join_text(row) for row in rows]

    names = config.text.column_names
    corpus = Corpus(
        prepared.sequences,
        texts=prepared.catalogue.texts,
        titles=joined(names[:1]),
        rests=joined(names[1:]),
        profiles=[text for text in prepared.profile_texts if text],
    )
    if len(corpus.distinct) < _FEWEST:
        raise ValueError(
            f"the items have {len(corpus.distinct)} distinct texts in "
            f"{settings.text_columns}; fill one of these columns, or name "
            "others with --text-columns."
        )
    return corpus


def hold_out(
    texts: Sequence[str], share: float
) -> tuple[list[str], list[str]]:
    """Parts texts by their own hash: a text stays where it is for good.

    Returns:
        Texts to learn from and texts to measure on, one of each at least.
    """
    by_lot = sorted(
        texts, key=lambda text: hashlib.sha256(text.encode()).digest()
    )
    count = min(len(texts) - 1, max(1, round(share * len(texts))))
    return by_lot[count:], by_lot[:count]
