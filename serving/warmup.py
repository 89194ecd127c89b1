"""Warm-up requests in TensorFlow Serving's format.

A first request traces, allocates and, with ScaNN, restores the index: seconds.
TensorFlow Serving replays `assets.extra/tf_serving_warmup_requests`, a
TFRecord file of PredictionLog, before a version is available; so do we.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from schema import features
from serving import signatures
from serving.manifest import EXTRA
from serving.signatures import SIGNATURES

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

_WARM_K = 10
_STATEFUL = (signatures.ADVANCE, signatures.RECOMMEND_NEXT)
_WARM_TEXT = "warm up"
_TEXTS = (
    "history_texts", "profile_text", features.TEXT, *features.ITEM_TEXT_COLUMNS
)
_ITEM_INPUTS = (
    "history_item_ids",
    "candidate_item_ids",
    "item_ids",
    features.ITEM_ID,
)
_PATH = Path(EXTRA) / "tf_serving_warmup_requests"


@dataclasses.dataclass(frozen=True)
class Request:
    """One prediction: a signature's name and all of its inputs."""

    signature: str
    inputs: Arrays


def default_requests(
    item_ids: Sequence[str],
    state: Array | None = None,
    *,
    reads_text: bool = False,
    counts_events: bool = False,
) -> list[Request]:
    """A user of whom nothing is known, one of whom all is, and every other
    signature, the default one among them: TensorFlow Serving prepares it
    apart.

    Args:
        item_ids: a few ids of the catalogue, at least one.
        state: [1, s] one that `embed_user` gave, since a model takes no state
            of another; what needs a state is left out if None.
        reads_text: whether the model reads the texts of events.
        counts_events: whether it reads recent popularity.
    """
    sizes = {"b": 1, "L": len(item_ids), "X": 0, "C": len(item_ids)}
    names = [
        each.name
        for each in signatures.offered(counts_events)
        if each.name not in _STATEFUL
    ]
    requests = [(signatures.RECOMMEND, {**sizes, "L": 0})]
    requests += [(name, sizes) for name in names]
    made = [
        Request(name, _inputs(name, item_ids, size, reads_text))
        for name, size in requests
    ]
    known = _inputs(signatures.RECOMMEND, item_ids, sizes, reads_text)
    made.append(Request(signatures.DEFAULT_SIGNATURE, known))
    if state is not None:
        for name in _STATEFUL:
            event = _inputs(name, item_ids, sizes, reads_text)
            made.append(Request(name, {**event, "state": state}))
    return made


def _inputs(
    name: str, item_ids: Sequence[str], sizes: Mapping[str, int], reads: bool
) -> Arrays:
    fields = signatures.known(SIGNATURES[name].inputs, reads)
    inputs = signatures.blank(fields, sizes)
    for key, value in inputs.items():
        if key in _ITEM_INPUTS:
            value[...] = list(item_ids[: value.shape[-1]])
        elif key == "k":
            value[...] = _WARM_K
        elif key in _TEXTS and sizes["L"]:  # so that the encoder runs
            value[...] = _WARM_TEXT
    return inputs


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
