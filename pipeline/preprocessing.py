"""What Transform computes: vocabularies and codes.

The rules are those of the local path, in TensorFlow: `trainer.requests` is
what the served model runs, and TensorFlow Transform's order of names is that
of `trainer.catalogue.vocabulary`. A parity test compares the two ways in.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from schema import features
from trainer import records, requests
from trainer.behaviour import TRAIN, UNKNOWN_GAP

Tensors = dict[str, Any]
_FORMAT = "tfrecord_gzip"  # of vocabularies: names may hold line ends


def sequences_fn(inputs: Tensors) -> Tensors:
    """Codes event types, scenarios and gaps; counts train events alone.

    Args:
        inputs: columns of schema/sequences.pbtxt, lists as SparseTensors.
    """
    split = inputs[features.SPLIT]
    is_train = tf.equal(split.values, TRAIN)

    def coded(name: str) -> tf.SparseTensor:
        names = inputs[name]
        known = _vocabulary(tf.boolean_mask(names.values, is_train), name)
        codes = tft.apply_vocabulary(
            names, known, default_value=-1, file_format=_FORMAT
        )
        return codes.with_values(codes.values + 1)  # 0 is the unknown one

    passed = (
        features.USER_ID, records.FIRST_ROW, features.PROFILE,
        features.ITEM_ID, features.TIMESTAMP, features.RATING, features.SPLIT,
        features.TEXT,  # empty lists where no model is to read it
    )
    return {
        **{name: inputs[name] for name in passed},
        features.EVENT_TYPE: coded(features.EVENT_TYPE),
        features.SCENARIO: coded(features.SCENARIO),
        records.GAP: _gaps(inputs[features.TIMESTAMP]),
    }


def catalogue_fn(inputs: Tensors, custom_config: dict[str, Any]) -> Tensors:
    """Orders items by train events; codes brands and category levels.

    Args:
        inputs: columns of schema/catalogue.pbtxt, each [items, 1].
        custom_config: `text_columns`, those of an item's text in order, and
            `behaviour_columns`, those that events are put in words with.
    """
    columns = {name: values[:, 0] for name, values in inputs.items()}
    counts = columns[records.TRAIN_EVENTS]
    items = tft.vocabulary(
        columns[features.ITEM_ID],
        weights=tf.cast(counts, tf.float32),
        vocab_filename=features.ITEM_ID,
        file_format=_FORMAT,
    )
    levels = requests.level_names(columns[features.CATEGORIES])  # [items, m]
    is_level = tf.not_equal(levels, "")
    categories = _vocabulary(levels, features.CATEGORIES)
    brands = _vocabulary(columns[features.BRAND], features.BRAND)

    def coded(names: tf.Tensor, known: Any) -> tf.Tensor:
        return tft.apply_vocabulary(
            names, known, default_value=-1, file_format=_FORMAT
        )

    codes = tf.where(is_level, coded(levels, categories), -1)
    text = [columns[name] for name in custom_config["text_columns"]]
    said = custom_config.get("behaviour_columns", ())
    return {
        **{records.raw_column(name): columns[name] for name in said},
        features.ITEM_ID: columns[features.ITEM_ID],
        records.ITEM_CODE: coded(columns[features.ITEM_ID], items),
        features.TITLE: columns[features.TITLE],
        features.AVAILABLE_FROM: columns[features.AVAILABLE_FROM],
        records.ITEM_TEXT: requests.join_columns(text),
        features.CATEGORIES: tf.RaggedTensor.from_tensor(
            codes, padding=-1
        ).to_sparse(),
        features.BRAND: coded(columns[features.BRAND], brands),
        records.TRAIN_EVENTS: counts,
    }


def _vocabulary(names: tf.Tensor, name: str) -> Any:
    """[n] names, the most frequent first; empty ones are left out."""
    named = tf.boolean_mask(names, tf.not_equal(names, ""))
    return tft.vocabulary(named, vocab_filename=name, file_format=_FORMAT)


def _gaps(timestamps: tf.SparseTensor) -> tf.SparseTensor:
    """`trainer.behaviour.gap_buckets` of every user."""
    times = timestamps.values
    before = tf.concat([times[:1], times[:-1]], axis=0)
    buckets = requests.gap_bucket(times - before)
    is_first = tf.equal(timestamps.indices[:, 1], 0)
    buckets = tf.where(is_first, UNKNOWN_GAP, buckets)
    return timestamps.with_values(tf.cast(buckets, tf.int64))
