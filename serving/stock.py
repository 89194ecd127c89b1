"""The catalogue inside a saved model, in variables that can grow.

Everything that a model knows of an item by its row lies here, so that items
can be added and removed while the model serves, without a new graph
(`serving.live`). Where nothing assigns to the variables, as in a stock
TensorFlow Serving, they are constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from serving.admission import NO_ROW, Shelf
from serving.rows import at_rows

if TYPE_CHECKING:
    from serving.fields import Array

# Of SipHash, so that nobody can make ids that collide by looking at them.
_KEY = (0x1D2B3C4F5A697887, 0x2E3D4C5B6A798801)
_BUCKETS = 2**63 - 1


def growing(values: object) -> tf.Variable:
    """A variable whose first axis may become longer."""
    value = tf.convert_to_tensor(values)
    shape = [None, *value.shape[1:]]
    return tf.Variable(value, trainable=False, shape=shape)


def id_hashes(item_ids: tf.Tensor) -> tf.Tensor:
    """String ids of any shape -> int64, the same in every process."""
    return tf.strings.to_hash_bucket_strong(item_ids, _BUCKETS, list(_KEY))


class Stock(tf.Module):
    """Items by row.

    Args:
        item_ids: [n] distinct and not empty, n at least 1.
        titles: [n] what to show to a person.
        shelf: what the policy looks at; of variables made by `growing`.
        words: [n] words that tell items apart, joined by spaces.
        category_names: [c] names of the shelf's category codes.

    Attributes:
        num_trained: scalar int32, rows whose vectors the training made.
        hashes: [n] int64 ascending, hashes of the ids.
        hashed_rows: [n] int32 the row of each hash.
        live_counts: a `serving.recency.LiveCounts`; None where recent
            popularity is not read.
    """

    live_counts: Any = None

    def __init__(
        self,
        item_ids: Sequence[str],
        titles: Sequence[str],
        shelf: Shelf,
        words: Sequence[str],
        category_names: Sequence[str],
    ) -> None:
        super().__init__(name="stock")
        self.item_ids, self.titles = growing(item_ids), growing(titles)
        self.shelf, self.words = shelf, growing(words)
        self.category_names = growing(
            tf.constant(list(category_names), tf.string)
        )
        self.num_trained = tf.Variable(len(item_ids), trainable=False)
        hashes = id_hashes(self.item_ids)
        order = tf.argsort(hashes)
        self.hashes = growing(tf.gather(hashes, order))
        self.hashed_rows = growing(order)

    def lookup(self, item_ids: tf.Tensor) -> tf.Tensor:
        """`rows_of` this stock."""
        return rows_of(self, item_ids)


def rows_of(stock: Any, item_ids: tf.Tensor) -> tf.Tensor:
    """Rows of ids.

    Args:
        stock: a `Stock`, or what is loaded of one.
        item_ids: string, of any shape.

    Returns:
        int32 of the same shape, -1 for unknown ids.
    """
    flat = tf.reshape(item_ids, [-1])
    at = tf.searchsorted(stock.hashes, id_hashes(flat), side="left")
    last = tf.shape(stock.hashes)[0] - 1
    rows = at_rows(stock.hashed_rows, tf.minimum(at, last))
    is_known = tf.equal(at_rows(stock.item_ids, rows), flat)
    found = tf.reshape(tf.where(is_known, rows, NO_ROW), tf.shape(item_ids))
    return tf.ensure_shape(found, item_ids.shape)


def is_offered(stock: Any, rows: tf.Tensor) -> tf.Tensor:
    """Whether rows of any shape are items (not -1) that were not removed."""
    removed = at_rows(stock.shelf.removed, rows)
    return (rows >= 0) & ~removed


def item_ids_of(version_dir: Any) -> Array:
    """[n] bytes, ids of a version by row, without loading its graph."""
    return stored(version_dir, "item_ids")


def stored(version_dir: Any, name: str) -> Array:
    """The value of one of the variables above in a version's files."""
    prefix = str(version_dir / "variables" / "variables")
    reader = tf.train.load_checkpoint(prefix)
    # A variable is kept once, under the shortest of its names.
    key = next(
        key
        for key in sorted(reader.get_variable_to_shape_map(), key=len)
        if key.split("/.ATTRIBUTES")[0].rpartition("/")[2] == name
    )
    value: Array = reader.get_tensor(key)
    return value
