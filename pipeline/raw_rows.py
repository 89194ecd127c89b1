"""A few raw rows of an Examples artifact, and what Transform makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from pipeline.prepared import files_of

_DRAWN_FROM = 20  # records that are read for each that is kept

Columns = dict[str, list[list[Any]]]  # values of each row by name


def sample_records(examples: Any, count: int, seed: int) -> list[bytes]:
    """Some of the first records, serialised; all if there are fewer."""
    records = tf.data.TFRecordDataset(files_of(examples), "GZIP")
    read = list(records.take(count * _DRAWN_FROM).as_numpy_iterator())
    if len(read) <= count:
        return read
    drawn = np.random.default_rng(seed).choice(len(read), count, replace=False)
    return [read[i] for i in np.sort(drawn)]


def columns_of(records: Sequence[bytes]) -> Columns:
    """Values of serialised examples by name, bytes as text."""
    rows = [tf.train.Example.FromString(record) for record in records]
    names = {name for row in rows for name in row.features.feature}
    return {
        name: [_values(row.features.feature[name]) for row in rows]
        for name in sorted(names)
    }


def _values(feature: tf.train.Feature) -> list[Any]:
    kind = feature.WhichOneof("kind")
    if kind is None:
        return []
    values = getattr(feature, kind).value
    return [v.decode() for v in values] if kind == "bytes_list" else [*values]


def transform(graph_uri: str, records: Sequence[bytes]) -> dict[str, Any]:
    """Serialised raw rows through a saved transform graph.

    Returns:
        Tensors with one row per record; lists are SparseTensors.
    """
    output = tft.TFTransformOutput(graph_uri)
    raw = tf.io.parse_example(list(records), output.raw_feature_spec())
    transformed: dict[str, Any] = output.transform_features_layer()(raw)
    return transformed


def write_transformed(transformed: dict[str, Any], file: Path) -> None:
    """Writes transformed rows as Transform itself does, gzipped TFRecord."""
    columns = {name: _rows(value) for name, value in transformed.items()}
    count = len(next(iter(columns.values())))
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for row in range(count):
            features = {
                name: _feature(transformed[name].dtype, values[row])
                for name, values in columns.items()
            }
            example = tf.train.Example(
                features=tf.train.Features(feature=features)
            )
            writer.write(example.SerializeToString())


def _rows(value: Any) -> list[list[Any]]:
    if isinstance(value, tf.SparseTensor):
        return tf.RaggedTensor.from_sparse(value).to_list()
    return value.numpy().reshape(len(value), -1).tolist()


def _feature(dtype: tf.DType, values: list[Any]) -> tf.train.Feature:
    if dtype == tf.string:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if dtype.is_integer:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))
