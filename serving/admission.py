"""Which items may be answered, as pure graph functions.

Each of a request's rules makes items inadmissible, a cap too, so that rules
combine by "and" and k items can come back whenever k admissible ones exist.
Core TensorFlow ops only, no Python loops over rows. Rows of the catalogue are
int32; -1 means "no item" everywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from serving.rows import at_rows
from serving.signatures import NO_ITEM

NO_ROW = -1


def excluded_mask(excluded: tf.Tensor, num_items: tf.Tensor | int) -> tf.Tensor:
    """Marks the excluded rows of the whole catalogue.

    Args:
        excluded: [b, X] int32 catalogue rows, -1 for none, repeats allowed.
        num_items: n, rows of the catalogue.

    Returns:
        [b, n] bool, true where excluded.
    """
    at = tf.where(excluded >= 0)  # [pairs, 2] request, place
    rows = tf.gather_nd(excluded, at)
    requests = tf.cast(at[:, 0], tf.int32)
    shape = tf.stack([tf.shape(excluded)[0], num_items])
    counts = tf.scatter_nd(
        tf.stack([requests, rows], axis=1), tf.ones_like(rows), shape
    )
    return counts > 0


def is_excluded(rows: tf.Tensor, excluded: tf.Tensor) -> tf.Tensor:
    """Like `excluded_mask`, for a few rows, without touching the catalogue.

    Args:
        rows: [b, C] int32 catalogue rows.
        excluded: [b, X] int32 catalogue rows, -1 for none.

    Returns:
        [b, C] bool, true where the request excludes the row.
    """
    # A greatest value at the end: every search ends on an element.
    ceiling = tf.fill([tf.shape(excluded)[0], 1], tf.int32.max)
    ordered = tf.concat([tf.sort(excluded, axis=1), ceiling], axis=1)
    at = tf.searchsorted(ordered, rows, side="left")
    return (tf.gather(ordered, at, batch_dims=1) == rows) & (rows >= 0)


class Shelf(tf.Module):
    """What the rules look at, item by item.

    Args:
        vectors: [n, d] float32, n at least 1, about unit length.
        categories: [n] int32 code of the first level of the first category
            path, -1 for none; all none if None.
        available_from: [n] int64 unix seconds, 0 unknown; all if None.

    Attributes:
        removed: [n] bool, items that no request admits.
        num_removed: scalar int32, how many they are.
        scale, boost: [n] float32 of `adjusted`; None where a score is a
            product of vectors alone.
        hot: [h] int32 rows of the greatest boosts.
    """

    scale: tf.Variable | None = None
    boost: tf.Variable | None = None
    hot: tf.Variable | None = None

    def __init__(
        self,
        vectors: tf.Variable,
        categories: tf.Variable | None = None,
        available_from: tf.Variable | None = None,
    ) -> None:
        super().__init__(name="shelf")
        num_items = tf.shape(vectors)[0]
        if categories is None:
            categories = tf.Variable(
                tf.fill([num_items], NO_ROW), shape=[None]
            )
        if available_from is None:
            available_from = tf.Variable(
                tf.zeros([num_items], tf.int64), shape=[None]
            )
        self.vectors, self.categories = vectors, categories
        self.available_from = available_from
        self.removed = tf.Variable(
            tf.zeros([num_items], tf.bool), trainable=False, shape=[None]
        )
        self.num_removed = tf.Variable(0, trainable=False)


def is_boosted(shelf: Any) -> bool:
    """Whether scores of a `Shelf`, or of what is loaded of one, move."""
    return getattr(shelf, "boost", None) is not None


def adjusted(
    products: tf.Tensor, shelf: Any, rows: tf.Tensor | None = None
) -> tf.Tensor:
    """Scores of items: scale * product + boost, where the shelf has them.

    Args:
        products: [b, C] float32 of queries and vectors.
        shelf: a `Shelf`, or what is loaded of one.
        rows: [b, C] or [b, 1] int32, -1 for none; None for [b, n] products
            with the whole catalogue.

    Returns:
        [b, C] float32.
    """
    if not is_boosted(shelf):
        return products
    if rows is None:
        return products * shelf.scale + shelf.boost
    return products * at_rows(shelf.scale, rows) + at_rows(shelf.boost, rows)


@dataclasses.dataclass(frozen=True)
class Admission:
    """Which items each of b requests admits.

    Attributes:
        excluded: [b, X] int32 rows that must not come back, -1 for none.
        allowed: [b, A] int32 rows, -1 for none.
        is_limited: [b] bool, whether only `allowed` may come back.
        now: [b] int64 unix seconds; items with a later `available_from` must
            not come back; 0: whenever.
        min_available_from: [b] int64 unix seconds; items with an earlier or
            unknown `available_from` must not come back; 0: whenever.
        max_per_category: [b] int32; only that many items of a category, those
            with the best scores, may come back; 0: any number. Items
            without a category are not counted.
    """

    excluded: tf.Tensor
    allowed: tf.Tensor
    is_limited: tf.Tensor
    now: tf.Tensor
    min_available_from: tf.Tensor
    max_per_category: tf.Tensor

    @classmethod
    def of(
        cls,
        inputs: dict[str, tf.Tensor],
        rows_of: Callable[[tf.Tensor], tf.Tensor],
        exclude_seen: tf.Tensor,
    ) -> Admission:
        """What a request's inputs admit.

        Args:
            inputs: of `signatures.RECOMMEND`.
            rows_of: ids of any shape -> int32 rows, -1 for unknown ones.
            exclude_seen: scalar bool, whether the history may not come back.
        """
        seen = rows_of(inputs["history_item_ids"])
        allowed = inputs["allow_item_ids"]
        return cls(
            excluded=tf.concat(
                [
                    rows_of(inputs["exclude_item_ids"]),
                    tf.where(exclude_seen, seen, NO_ROW),
                ],
                axis=1,
            ),
            allowed=rows_of(allowed),
            # An id that nobody knows is a limit too: it allows nothing.
            is_limited=tf.reduce_any(tf.not_equal(allowed, NO_ITEM), axis=1),
            now=inputs["now"],
            min_available_from=inputs["min_available_from"],
            max_per_category=inputs["max_per_category"],
        )

    @classmethod
    def excluding(cls, excluded: tf.Tensor) -> Admission:
        """All but [b, X] rows."""
        requests = tf.shape(excluded)[:1]
        whenever = tf.zeros(requests, tf.int64)
        return cls(
            excluded=excluded,
            allowed=excluded[:, :0],
            is_limited=tf.zeros(requests, tf.bool),
            now=whenever,
            min_available_from=whenever,
            max_per_category=tf.zeros(requests, tf.int32),
        )

    def bars_all(self, shelf: Shelf) -> tf.Tensor:
        """[b, n] bool, the items of the whole catalogue that are barred."""
        num_items = tf.shape(shelf.vectors)[0]
        return self._with_rules(
            excluded_mask(self.excluded, num_items) | shelf.removed,
            lambda: excluded_mask(self.allowed, num_items),
            lambda: shelf.available_from[tf.newaxis, :],
        )

    def bars(self, rows: tf.Tensor, shelf: Shelf) -> tf.Tensor:
        """Like `bars_all`, for [b, C] rows, without touching the catalogue."""
        return self._with_rules(
            is_excluded(rows, self.excluded)
            | at_rows(shelf.removed, rows),
            lambda: is_excluded(rows, self.allowed),
            lambda: at_rows(shelf.available_from, rows),
        )

    def _with_rules(
        self,
        barred: tf.Tensor,
        is_allowed: Callable[[], tf.Tensor],
        available_from: Callable[[], tf.Tensor],
    ) -> tf.Tensor:
        """Adds what lists and times bar; costs nothing where no request of
        the batch has such a rule."""
        is_limited = self.is_limited[:, tf.newaxis]
        barred = tf.cond(
            tf.reduce_any(is_limited),
            lambda: barred | (is_limited & ~is_allowed()),
            lambda: barred,
        )
        return tf.cond(
            tf.reduce_any((self.now > 0) | (self.min_available_from > 0)),
            lambda: barred | self._is_untimely(available_from()),
            lambda: barred,
        )

    def _is_untimely(self, available_from: tf.Tensor) -> tf.Tensor:
        """[b or 1, C] int64 times -> [b, C] bool."""
        now = self.now[:, tf.newaxis]
        earliest = self.min_available_from[:, tf.newaxis]
        is_early = (now > 0) & (available_from > now)
        return is_early | ((earliest > 0) & (available_from < earliest))
