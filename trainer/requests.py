"""Requests as the served graph reads them: strings to codes, core ops only.

The rules are those of training, in TensorFlow: `trainer.behaviour` for order
and gaps, `trainer.catalogue` for an item's text and category levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from schema import features
from serving.stock import Stock
from trainer.behaviour import GAP_BOUNDS, UNKNOWN_GAP
from trainer.catalogue import MAX_CATEGORIES

# One event per column; `mask` is False where there is none.
History = dict[str, tf.Tensor]
_LAST_16_BITS = 1 << 16
_ASCII_SPACE = r"[ \t\r\n]+"
# What Python's `str.strip` takes off, the ideographic space included.
_ANY_SPACE = r"[\pZ\t-\r\x1c-\x1f\x{85}]+"


def lookup_table(
    names: Sequence[str], *, first_code: int, default: int
) -> tf.lookup.StaticHashTable:
    """A table from names to first_code, first_code + 1, ..."""
    keys = list(names)
    codes = list(range(first_code, first_code + len(keys)))
    if not keys:  # TensorFlow has no empty tables
        keys, codes = [""], [default]
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.string), tf.constant(codes, tf.int32)
        ),
        default,
    )


def strip(texts: tf.Tensor, space: str = _ASCII_SPACE) -> tf.Tensor:
    """Takes white space off both ends."""
    return tf.strings.regex_replace(texts, f"^{space}|{space}$", "")


def join_columns(columns: Sequence[tf.Tensor]) -> tf.Tensor:
    """`trainer.catalogue.join_text` on [b] string columns."""
    joined = tf.zeros_like(columns[0])
    for column in columns:
        column = strip(column)
        needs_stop = tf.not_equal(joined, "") & tf.not_equal(column, "")
        joined += tf.where(needs_stop, ". ", "") + column
    return joined


def level_names(categories: tf.Tensor) -> tf.Tensor:
    """`trainer.catalogue.level_names`, the first MAX_CATEGORIES of a row.

    Args:
        categories: [b] string, paths `a > b` joined by ` | `.

    Returns:
        [b, levels] distinct names in order, "" behind them.
    """
    names = tf.strings.split(
        tf.strings.regex_replace(categories, ">", "|"), "|"
    )
    dense = tf.ragged.map_flat_values(
        lambda values: strip(values, _ANY_SPACE), names
    ).to_tensor()
    is_new = _is_new(dense) & tf.not_equal(dense, "")
    kept = tf.ragged.boolean_mask(dense, is_new)
    return kept.to_tensor()[:, :MAX_CATEGORIES]


def category_codes(
    categories: tf.Tensor, table: tf.lookup.StaticHashTable
) -> tf.Tensor:
    """`trainer.catalogue.level_names`, coded.

    Args:
        categories: [b] string, paths `a > b` joined by ` | `.
        table: level name -> code, -1 for an unknown one.

    Returns:
        [b, levels] int32, at most MAX_CATEGORIES distinct codes, the others
        -1.
    """
    names = tf.strings.split(
        tf.strings.regex_replace(categories, ">", "|"), "|"
    )
    codes = tf.ragged.map_flat_values(
        lambda values: table.lookup(strip(values, _ANY_SPACE)), names
    ).to_tensor(default_value=-1)
    is_new = _is_new(codes) & (codes >= 0)
    place = tf.cumsum(tf.cast(is_new, tf.int32), axis=1)
    return tf.where(is_new & (place <= MAX_CATEGORIES), codes, -1)


def _is_new(values: tf.Tensor) -> tf.Tensor:
    """[b, m] bool: not the same as an earlier value of its row."""
    same = tf.equal(values[:, :, None], values[:, None, :])  # [b, m, m]
    earlier = tf.linalg.band_part(tf.ones_like(same, tf.int32), -1, 0)
    earlier -= tf.eye(tf.shape(values)[1], dtype=tf.int32)[None]
    return tf.logical_not(tf.reduce_any(same & (earlier > 0), axis=2))


def code_history(
    inputs: dict[str, tf.Tensor],
    *,
    items: Stock,
    event_types: tf.lookup.StaticHashTable,
    scenarios: tf.lookup.StaticHashTable,
) -> History:
    """Codes the history columns of a request; unknown items are masked out.

    Returns:
        [b, L] item, event_type, scenario (int32), timestamp (int64), column
        (int32, the place in the request), mask (bool) and, where the inputs
        have it, text (string).
    """
    item = items.lookup(inputs["history_item_ids"])
    types = inputs["history_event_types"]
    types = tf.where(types == "", features.DEFAULT_EVENT_TYPE, types)
    columns = tf.range(tf.shape(item)[1])[None, :]
    texts = inputs.get("history_texts")
    return {
        **({} if texts is None else {"text": texts}),
        "item": tf.maximum(item, 0),
        "event_type": event_types.lookup(types),
        "scenario": scenarios.lookup(inputs["history_scenarios"]),
        "timestamp": inputs["history_timestamps"],
        "column": tf.broadcast_to(columns, tf.shape(item)),
        "mask": item >= 0,
    }


def keep_latest(history: History, count: int) -> History:
    """Moves the latest `count` events of each row to its left.

    Returns:
        The same tensors as [b, W], W from 1 to `count`, and `gap`: its bucket
        looks back to the event before, kept or not.
    """
    mask = tf.cast(history["mask"], tf.int32)
    lengths = tf.reduce_sum(mask, axis=1)
    kept = tf.minimum(lengths, count)
    width = tf.maximum(tf.reduce_max(tf.concat([kept, [0]], 0)), 1)
    place = tf.range(width)[None, :]
    is_event = place < kept[:, None]
    events_first = tf.argsort(mask, direction="DESCENDING", stable=True)
    # One spare column on the right, for histories without any.
    spare = [[0, 0], [0, 1]]
    history = {
        name: tf.gather(
            tf.pad(values, spare), tf.pad(events_first, spare), batch_dims=1
        )
        for name, values in history.items()
    }
    history["gap"] = _gaps(history["timestamp"])
    at = tf.where(is_event, place + (lengths - kept)[:, None], 0)  # [b, W]
    return {
        name: tf.where(
            is_event,
            tf.gather(values, at, batch_dims=1),
            tf.zeros([], values.dtype),
        )
        for name, values in history.items()
    }


def gap_bucket(seconds: tf.Tensor) -> tf.Tensor:
    """int64 seconds, any shape -> int32 bucket, as `behaviour.gap_buckets`."""
    flat = tf.reshape(tf.maximum(seconds, 0), [-1])
    buckets = 1 + tf.searchsorted(GAP_BOUNDS, flat, side="right")
    return tf.reshape(buckets, tf.shape(seconds))


def _gaps(timestamps: tf.Tensor) -> tf.Tensor:
    """[b, W] unix seconds, 0 unknown -> [b, W] buckets, the first unknown."""
    before = tf.pad(timestamps[:, :-1], [[0, 0], [1, 0]])
    before = before[:, : tf.shape(timestamps)[1]]
    return gap_since(before, timestamps)


def gap_since(before: tf.Tensor, now: tf.Tensor) -> tf.Tensor:
    """Bucket of the time between two unix times, 0 being unknown."""
    is_known = (before > 0) & (now > 0)
    return tf.where(is_known, gap_bucket(now - before), UNKNOWN_GAP)


def split_time(timestamp: tf.Tensor) -> tf.Tensor:
    """[b] int64 -> [b, 2] float32 that hold it exactly, up to 2**40."""
    low = timestamp % _LAST_16_BITS
    return tf.cast(tf.stack([timestamp // _LAST_16_BITS, low], 1), tf.float32)


def join_time(parts: tf.Tensor) -> tf.Tensor:
    """The inverse of `split_time`."""
    parts = tf.cast(parts, tf.int64)
    return parts[:, 0] * _LAST_16_BITS + parts[:, 1]
