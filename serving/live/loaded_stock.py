"""The catalogue of a loaded version, outside of its graph's signatures.

A session prepares each set of tensors that it is asked for, which takes it a
twentieth of a second once. So there are three: what all rows say, what some
rows say in full, and everything that may change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from serving.recency import room
from serving.stock import id_hashes

if TYPE_CHECKING:
    from serving.fields import Array

# What a row says of its item, by variable of the stock or of its shelf.
BY_ROW = (
    "item_ids", "titles", "words", "categories", "available_from", "vectors",
)
_INDEX = ("hashes", "hashed_rows", "removed", "category_names", "num_trained")
_REPLACED = ("hashes", "hashed_rows", "removed", "num_removed")
_EXTENDED = (*BY_ROW, "category_names")


@dataclasses.dataclass(frozen=True)
class Index:
    """Where items are found.

    Attributes:
        hashes: [h] int64 ascending, of ids.
        hashed_rows: [h] int32 the row of each.
        removed: [n] bool by row.
        category_names: [c] bytes by code.
        num_trained: rows whose vectors the training made.
    """

    hashes: Array
    hashed_rows: Array
    removed: Array
    category_names: Array
    num_trained: Array

    def candidates(self, item_ids: Array) -> Array:
        """[m] int32 the only row where each of [m] ids may stand."""
        hashes = id_hashes(tf.constant(item_ids, tf.string)).numpy()
        at = np.searchsorted(self.hashes, hashes)
        return self.hashed_rows[np.minimum(at, len(self.hashes) - 1)]

    def with_rows(self, item_ids: Array, rows: Array) -> Index:
        """The index that has [m] ids in [m] rows, new or instead of others."""
        new = id_hashes(tf.constant(item_ids, tf.string)).numpy()
        order = np.argsort(new)
        new, rows = new[order], rows[order]
        at = np.searchsorted(self.hashes, new)
        last = len(self.hashes) - 1
        is_there = self.hashes[np.minimum(at, last)] == new
        old = self.hashed_rows.copy()
        old[at[is_there]] = rows[is_there]
        at, new, rows = at[~is_there], new[~is_there], rows[~is_there]
        return dataclasses.replace(
            self,
            hashes=np.insert(self.hashes, at, new),
            hashed_rows=np.insert(old, at, rows),
        )


class LoadedStock:
    """Reads and writes the variables of a `serving.stock.Stock`.

    Args:
        stock: of the saved model, a `serving.saved_objects.Saved`.
    """

    def __init__(self, stock: Any) -> None:
        self._stock = stock
        self._counts = getattr(stock, "live_counts", None)
        session = stock.item_ids.session
        self._run: Callable[..., Any] = session.run
        with session.graph.as_default():
            self._index = [self._variable(name).value for name in _INDEX]
            self._place = tf.compat.v1.placeholder(tf.int32, [None])
            self._gathered = {
                name: tf.gather(self._variable(name).value, self._place)
                for name in BY_ROW
            }
            self._given = {
                name: tf.compat.v1.placeholder(self._variable(name).dtype)
                for name in (*_REPLACED, *_EXTENDED)
            }
            self._written = list(self._writing())

    @property
    def width(self) -> int:
        """Of an item's vector."""
        return int(self._stock.shelf.vectors.shape[1])

    def index(self) -> Index:
        """Where items are found now."""
        return Index(*map(np.array, self._run(self._index)))

    def rows(self, at: Array) -> dict[str, Array]:
        """What [m] rows say, by variable."""
        found: dict[str, Array] = self._run(self._gathered, {self._place: at})
        return found

    def write(self, index: Index, content: Mapping[str, Array]) -> None:
        """Changes the catalogue; nothing may read it meanwhile.

        Args:
            index: as it is to be.
            content: of new rows, behind the present ones, by variable; and
                "category_names" that are new.
        """
        values = {
            **content,
            "hashes": index.hashes,
            "hashed_rows": index.hashed_rows,
            "removed": index.removed,
            "num_removed": index.removed.sum(dtype=np.int32),
        }
        given = {self._given[name]: value for name, value in values.items()}
        self._run(self._written, given)

    def _writing(self) -> Iterator[tf.Operation]:
        """Operations that change the catalogue by what is given."""
        for name in _REPLACED:
            yield self._variable(name).assigned(self._given[name])
        more = [(self._variable(name), self._given[name]) for name in _EXTENDED]
        if self._counts is not None:
            number = tf.size(self._given["item_ids"])
            more += [
                (getattr(self._counts, name), values)
                for name, values in room(self._counts, number).items()
            ]
        for variable, values in more:
            yield variable.assigned(tf.concat([variable, values], axis=0))

    def _variable(self, name: str) -> Any:
        is_own = hasattr(self._stock, name)
        return getattr(self._stock if is_own else self._stock.shelf, name)

