"""Changes of a loaded version's catalogue.

Rows are only ever added at the end, since an index and graphs know rows by
number. An item that goes keeps its row, for histories know it still; an item
that comes back with other words gets a new row, and its old one is barred for
good. Vectors that the training made stay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from schema import features
from serving.admission import NO_ROW
from serving.live import items
from serving.live.journal import ADD, Record
from serving.recency import make_room
from serving.stock import id_hashes, rows_of
from serving.words import words_of

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

# Two vectors of one text, computed in different batches, are this near.
_SAME = 1e-5


@dataclasses.dataclass(frozen=True)
class Change:
    """What is to be assigned.

    Attributes:
        back: rows that are offered again.
        gone: rows that are not offered any more.
        content: what new rows say, by variable.
    """

    back: Array
    gone: Array
    content: dict[str, Array]

    def commit(self, stock: Any) -> None:
        """Assigns it; nothing may read the stock meanwhile."""
        number = len(self.content["item_ids"])
        _set_removed(stock, self.back, self.gone, number)
        if number:
            rows = stock.item_ids.numpy().shape[0] + np.arange(number)
            _index(stock, self.content["item_ids"], rows)
            for name, values in self.content.items():
                _grow(_variable(stock, name), values)
            if getattr(stock, "live_counts", None) is not None:
                make_room(stock.live_counts, number)


def planned(
    stock: Any,
    records: Sequence[Record],
    embed: Callable[[Arrays], Array],
) -> Change:
    """What records change; the stock serves on.

    Args:
        stock: what is loaded of a `serving.stock.Stock`.
        records: one per item.
        embed: raw columns of items -> vectors.
    """
    ids = [record.item_id for record in records]
    rows = rows_of(stock, tf.constant(ids, tf.string)).numpy()
    is_added = np.array([record.kind == ADD for record in records])
    is_new = is_added & (rows < 0)
    # Not trained: what is known of it may have changed.
    is_told_anew = is_added & (rows >= stock.num_trained.numpy())
    told = [records[at] for at in np.flatnonzero(is_new | is_told_anew)]
    old_rows = rows[is_new | is_told_anew]
    content = _content(stock, told, embed)
    differs = _differs(stock, old_rows, content)
    is_known = rows >= 0
    replaced = old_rows[differs & (old_rows >= 0)]
    return Change(
        back=np.setdiff1d(rows[is_added & is_known], replaced),
        gone=np.union1d(rows[~is_added & is_known], replaced),
        content={name: values[differs] for name, values in content.items()},
    )


def _content(
    stock: Any, told: Sequence[Record], embed: Callable[[Arrays], Array]
) -> dict[str, Array]:
    """What a row of the stock says of each item, by variable."""
    return {
        "item_ids": _strings(record.item_id for record in told),
        "titles": _strings(map(items.title, told)),
        "words": _strings(
            " ".join(words_of(" ".join(record.columns.values())))
            for record in told
        ),
        "categories": _category_codes(stock, told),
        "available_from": np.array(
            [record.available_from for record in told], np.int64
        ),
        "vectors": _vectors(stock, told, embed),
    }


def _strings(values: Any) -> Array:
    return np.array([value.encode() for value in values], object)


def _category_codes(stock: Any, told: Sequence[Record]) -> Array:
    """[m] int32 codes; names that the model does not know get new ones."""
    known = [name.decode() for name in stock.category_names.numpy()]
    code = {name: at for at, name in enumerate(known)}
    wanted = [items.first_category(record) for record in told]
    for name in filter(None, wanted):
        code.setdefault(name, len(code))
    new = list(code)[len(known) :]
    if new:
        _grow(stock.category_names, _strings(new))
    return np.array([code.get(name, NO_ROW) for name in wanted], np.int32)


def _vectors(
    stock: Any, told: Sequence[Record], embed: Callable[[Arrays], Array]
) -> Array:
    if not told:
        return np.zeros((0, stock.shelf.vectors.shape[1]), np.float32)
    columns = [items.texts(record) for record in told]
    return embed(
        {
            name: np.array([row[name] for row in columns], object)
            for name in features.ITEM_TEXT_COLUMNS
        }
    )


def _differs(stock: Any, rows: Array, content: dict[str, Array]) -> Array:
    """[m] bool, whether an item has no row yet that says the same."""
    at = np.maximum(rows, 0)
    differs: Array = rows < 0
    for name, values in content.items():
        stored = tf.gather(_variable(stock, name), at).numpy()
        if name == "vectors":
            differs |= np.abs(stored - values).max(axis=1, initial=0) > _SAME
        else:
            differs |= stored != values
    return differs


def _set_removed(stock: Any, back: Array, gone: Array, more: int) -> None:
    """Marks rows, and makes room for `more` that are not removed."""
    removed = stock.shelf.removed.numpy()
    removed = np.concatenate([removed, np.zeros(more, bool)])
    removed[back] = False
    removed[gone] = True
    stock.shelf.removed.assign(removed)
    stock.shelf.num_removed.assign(np.int32(removed.sum()))


def _index(stock: Any, item_ids: Array, rows: Array) -> None:
    """Lets ids find their rows, new or instead of others."""
    hashes, old = stock.hashes.numpy(), stock.hashed_rows.numpy()
    new = id_hashes(tf.constant(item_ids, tf.string)).numpy()
    order = np.argsort(new)
    new, rows = new[order], rows[order].astype(np.int32)
    at = np.searchsorted(hashes, new)
    is_there = hashes[np.minimum(at, len(hashes) - 1)] == new
    old[at[is_there]] = rows[is_there]
    at, new, rows = at[~is_there], new[~is_there], rows[~is_there]
    stock.hashes.assign(np.insert(hashes, at, new))
    stock.hashed_rows.assign(np.insert(old, at, rows))


def _variable(stock: Any, name: str) -> Any:
    owner = stock if hasattr(stock, name) else stock.shelf
    return getattr(owner, name)


def _grow(variable: Any, values: Array) -> None:
    more = tf.constant(values, variable.dtype)
    variable.assign(tf.concat([variable, more], axis=0))
