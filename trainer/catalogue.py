"""The catalogue: vocabularies and one row of content per item.

Item content lives here once, aligned with the item vocabulary, and never in
the training examples. Vocabularies are ordered by their count among train
events and then by name, in reverse: an order that knows nothing of later
events.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from schema import features
from trainer.tables import Items, split_categories

MAX_CATEGORIES = 8  # level names of an item that are embedded, first ones


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Items in vocabulary order, with what is known of them.

    Attributes:
        item_ids: [items] vocabulary; the index is the model's item code.
        code_of: [items table rows] int32, the code of a table row.
        counts: [items] int64 train events of each item.
        titles: [items] what to show to a person.
        texts: [items] what the text encoder reads.
        categories: names of category levels.
        category_codes: [items, up to MAX_CATEGORIES] int32, -1 for none.
        brands: names of brands.
        brand_codes: [items] int32, -1 for none.
        available_from: [items] int64 unix seconds, 0 where unknown.
    """

    item_ids: list[str]
    code_of: np.ndarray
    counts: np.ndarray
    titles: list[str]
    texts: list[str]
    categories: list[str]
    category_codes: np.ndarray
    brands: list[str]
    brand_codes: np.ndarray
    available_from: np.ndarray

    def __len__(self) -> int:
        return len(self.item_ids)


def join_text(values: Iterable[str]) -> str:
    """Joins the non-empty columns of one item into the text that is read.

    The exported graph joins raw columns by the same rule (`trainer.requests`).

    Example:
        >>> join_text(["Rose lip balm ", "", "Beauty > Lips"])
        'Rose lip balm. Beauty > Lips'
    """
    stripped = (value.strip(" \t\r\n") for value in values)
    return ". ".join(value for value in stripped if value)


def level_names(categories: str) -> list[str]:
    """Distinct names of all levels of all paths, in order.

    Example:
        >>> level_names("Beauty > Lips | Beauty > Gifts")
        ['Beauty', 'Lips', 'Gifts']
    """
    paths = split_categories(categories)
    return list(dict.fromkeys(name for path in paths for name in path))


def vocabulary(names: Iterable[str]) -> list[str]:
    """Distinct non-empty names, the most frequent first.

    Names of one count stand in reverse order of their text, as TensorFlow
    Transform puts them: the pipeline's vocabularies are the same.
    """
    counts = collections.Counter(name for name in names if name)
    return sorted(counts, key=lambda name: (counts[name], name), reverse=True)


def fingerprint(names: Sequence[str]) -> str:
    """A short hash of a vocabulary, order included."""
    digest = hashlib.sha256("\0".join(names).encode())
    return digest.hexdigest()[:16]


def build_catalogue(
    items: Items, train_items: np.ndarray, text_columns: Sequence[str]
) -> Catalogue:
    """Builds the catalogue from the items table and the train events.

    Args:
        items: the validated table.
        train_items: [train events] int32 rows of the items table.
        text_columns: item columns that make an item's text, in this order.

    Raises:
        ValueError: if a text column's name is not one of the data contract.
    """
    known = features.ITEM_TEXT_COLUMNS
    for name in text_columns:
        if name not in known:
            raise ValueError(
                f"text_columns names {name!r}; an item's text is made of "
                f"{', '.join(known)}."
            )
    counts = np.bincount(train_items, minlength=len(items.ids))
    by_id = np.argsort(np.array(items.ids, object))[::-1]
    order = by_id[np.argsort(-counts[by_id], kind="stable")]
    code_of = np.empty(len(order), np.int32)
    code_of[order] = np.arange(len(order), dtype=np.int32)

    def column(name: str) -> list[str]:
        values = items.columns.get(name)
        return [values[row] for row in order] if values else [""] * len(order)

    levels = [level_names(text) for text in column(features.CATEGORIES)]
    categories = vocabulary(name for names in levels for name in names)
    brands = vocabulary(column(features.BRAND))
    rows = zip(*map(column, text_columns), strict=True)
    texts = [join_text(row) for row in rows]
    return Catalogue(
        item_ids=[items.ids[row] for row in order],
        code_of=code_of,
        counts=counts[order],
        titles=shown_titles(column(features.TITLE), texts),
        texts=texts,
        categories=categories,
        category_codes=_padded_codes(levels, categories),
        brands=brands,
        brand_codes=_codes(column(features.BRAND), brands),
        available_from=np.array(items.times, np.int64)[order],
    )


def shown_titles(titles: list[str], texts: list[str]) -> list[str]:
    """The title, or the start of the text where there is none."""
    return [
        title or text[:80] for title, text in zip(titles, texts, strict=True)
    ]


def _codes(names: Sequence[str], names_in_order: Sequence[str]) -> np.ndarray:
    code = {name: i for i, name in enumerate(names_in_order)}
    return np.array([code.get(name, -1) for name in names], np.int32)


def _padded_codes(
    rows: Sequence[Sequence[str]], names_in_order: Sequence[str]
) -> np.ndarray:
    """[rows, MAX_CATEGORIES] codes, -1 where a row has fewer."""
    codes = np.full((len(rows), MAX_CATEGORIES), -1, np.int32)
    for row, names in enumerate(rows):
        kept = names[:MAX_CATEGORIES]
        codes[row, : len(kept)] = _codes(kept, names_in_order)
    return codes
