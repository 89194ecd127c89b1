"""Changes of a loaded version's catalogue.

Rows are only ever added at the end, since an index and graphs know rows by
number. An item that goes keeps its row, for histories know it still; an item
that comes back with other words gets a new row, and its old one is barred for
good. Vectors that the training made stay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from schema import features
from serving.admission import NO_ROW
from serving.live import items
from serving.live.journal import ADD, Record
from serving.live.loaded_stock import Index, LoadedStock
from serving.words import words_of

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

# Two vectors of one text, computed in different batches, are this near.
_SAME = 1e-5


@dataclasses.dataclass(frozen=True)
class Change:
    """What is to be written.

    Attributes:
        index: as it is to be.
        content: of new rows, by variable, and names of new categories.
    """

    index: Index
    content: dict[str, Array]

    def commit(self, stock: LoadedStock) -> None:
        """Writes it; nothing may read the stock meanwhile."""
        stock.write(self.index, self.content)


def planned(
    stock: LoadedStock,
    records: Sequence[Record],
    embed: Callable[[Arrays], Array],
) -> Change:
    """What records change; the stock serves on.

    Args:
        stock: of the version.
        records: one per item.
        embed: raw columns of items -> vectors.
    """
    index = stock.index()
    ids = _strings([record.item_id for record in records])
    candidates = index.candidates(ids)
    stored = stock.rows(candidates)
    rows = np.where(stored["item_ids"] == ids, candidates, NO_ROW)
    is_added = np.array([record.kind == ADD for record in records], bool)
    is_new = is_added & (rows < 0)
    # Not trained: what is known of it may have changed.
    is_told_anew = is_added & (rows >= index.num_trained)
    is_told = is_new | is_told_anew
    told = [records[at] for at in np.flatnonzero(is_told)]
    names = _with_categories(index.category_names, told)
    content = _content(stock.width, told, names, embed)
    differs = is_new[is_told] | _differs(content, stored, is_told)
    content = {name: values[differs] for name, values in content.items()}
    replaced = rows[is_told][differs & ~is_new[is_told]]
    is_known = rows >= 0
    removed = np.concatenate([index.removed, np.zeros(differs.sum(), bool)])
    removed[np.setdiff1d(rows[is_added & is_known], replaced)] = False
    removed[np.union1d(rows[~is_added & is_known], replaced)] = True
    added = np.arange(len(index.removed), len(removed), dtype=np.int32)
    index = dataclasses.replace(index, removed=removed)
    return Change(
        index.with_rows(content["item_ids"], added),
        {**content, "category_names": names[len(index.category_names) :]},
    )


def _content(
    width: int,
    told: Sequence[Record],
    category_names: Array,
    embed: Callable[[Arrays], Array],
) -> dict[str, Array]:
    """What a row of the stock says of each item, by variable."""
    code = {name.decode(): at for at, name in enumerate(category_names)}
    categories = [code.get(items.first_category(each), NO_ROW) for each in told]
    return {
        "item_ids": _strings([record.item_id for record in told]),
        "titles": _strings([items.title(record) for record in told]),
        "words": _strings([
            " ".join(words_of(" ".join(record.columns.values())))
            for record in told
        ]),
        "categories": np.array(categories, np.int32),
        "available_from": np.array(
            [record.available_from for record in told], np.int64
        ),
        "vectors": _vectors(width, told, embed),
    }


def _strings(values: Sequence[str]) -> Array:
    return np.array([value.encode() for value in values], object)


def _with_categories(known: Array, told: Sequence[Record]) -> Array:
    """[c] names by code: known ones, and behind them those that are not."""
    names = dict.fromkeys(known)
    names |= dict.fromkeys(
        name.encode() for name in map(items.first_category, told) if name
    )
    return np.array(list(names), object)


def _vectors(
    width: int, told: Sequence[Record], embed: Callable[[Arrays], Array]
) -> Array:
    if not told:
        return np.zeros((0, width), np.float32)
    columns = [items.texts(record) for record in told]
    return embed(
        {
            name: np.array([row[name] for row in columns], object)
            for name in features.ITEM_TEXT_COLUMNS
        }
    )


def _differs(
    content: Mapping[str, Array], stored: Mapping[str, Array], is_told: Array
) -> Array:
    """[m] bool, whether a row says something else of an item.

    Args:
        content: what is told of m items.
        stored: what rows say of all items.
        is_told: of which of these something is told.
    """
    differs = np.zeros(is_told.sum(), bool)
    for name, values in content.items():
        before = stored[name][is_told]
        if name == "vectors":
            differs |= np.abs(before - values).max(axis=1, initial=0) > _SAME
        else:
            differs |= before != values
    return differs
