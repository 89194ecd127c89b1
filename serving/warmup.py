"""Warm-up requests in TensorFlow Serving's format.

A first request traces, allocates and, with ScaNN, restores the index: seconds.
TensorFlow Serving replays `assets.extra/tf_serving_warmup_requests`, a
TFRecord file of PredictionLog, before a version is available; so do we.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serving import signatures
from serving.manifest import EXTRA

if TYPE_CHECKING:
    from serving.signatures import Arrays

_WARM_K = 10
_PATH = Path(EXTRA) / "tf_serving_warmup_requests"


@dataclasses.dataclass(frozen=True)
class Request:
    """One prediction: a signature's name and all of its inputs."""

    signature: str
    inputs: Arrays


def default_requests(item_ids: Sequence[str]) -> list[Request]:
    """Requests that touch every path of `recommend` and `similar_items`.

    Args:
        item_ids: a few ids of the catalogue, at least one.

    Returns:
        A user without a history, one with `item_ids` as history, and a
        neighbour query.
    """
    return [
        _request(signatures.RECOMMEND, {}, {"L": 0}),
        _request(
            signatures.RECOMMEND,
            {"history_item_ids": np.array([item_ids], object)},
            {"L": len(item_ids)},
        ),
        _request(
            signatures.SIMILAR_ITEMS,
            {"item_ids": np.array(item_ids[:1], object)},
            {},
        ),
    ]


def _request(name: str, given: Arrays, sizes: dict[str, int]) -> Request:
    fields = signatures.SIGNATURES[name].inputs
    inputs = signatures.blank(fields, {"b": 1, "X": 0, **sizes})
    k = np.array([_WARM_K], np.int32)
    return Request(name, {**inputs, **given, "k": k})


def write(
    version_dir: Path, model_name: str, requests: Sequence[Request]
) -> None:
    """Writes the warm-up file of a version."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path = version_dir / _PATH
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            predict = log.predict_log.request
            predict.model_spec.name = model_name
            predict.model_spec.signature_name = request.signature
            for name, value in request.inputs.items():
                predict.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())


def read(version_dir: Path) -> list[Request]:
    """The warm-up requests of a version; none if it has no file."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path = version_dir / _PATH
    if not path.is_file():
        return []
    requests = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        predict = log.predict_log.request
        requests.append(
            Request(
                predict.model_spec.signature_name
                or signatures.DEFAULT_SIGNATURE,
                {
                    name: tf.make_ndarray(value)
                    for name, value in predict.inputs.items()
                },
            )
        )
    return requests
