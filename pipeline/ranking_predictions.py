"""What the ranking head says of the test targets, for TFMA to slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from serving import signatures
from trainer.batches import in_order
from trainer.bundle_scorer import ExactBundle, Requests
from trainer.evaluation import Queries, slices
from trainer.prepare import Prepared

LABEL, PREDICTION = "label", "prediction"
SCENARIO, EVENT_TYPE = "scenario", "event_type"
ITEM_POPULARITY = "item_popularity"
SPLIT = "eval"  # the one that TFX's Evaluator reads
_UNKNOWN = "unknown"  # as TFMA shows codes that no name has
_BATCH = 1024


def predictions(
    bundle: ExactBundle, prepared: Prepared, queries: Queries
) -> Iterator[tf.train.Example]:
    """One example per test target that has a label; none if none has.

    Labels and predictions are scaled to [0, 1] as the ranking head learns
    them, so that thresholds mean the same for ratings and event strengths.
    """
    labels = prepared.labels[queries.targets]
    numbers = np.flatnonzero(~np.isnan(labels))
    if prepared.label_scale.kind == "none":
        return
    columns = _columns(prepared, queries)
    requests = Requests(prepared, queries, bundle.max_history)
    for part in in_order(len(numbers), _BATCH):
        chosen = numbers[part]
        told = _ranked(bundle, prepared, queries, requests, chosen)
        for row, prediction in zip(chosen, told, strict=True):
            names = {key: values[row] for key, values in columns.items()}
            yield example(labels[row], prediction, names)


def _ranked(
    bundle: ExactBundle,
    prepared: Prepared,
    queries: Queries,
    requests: Requests,
    numbers: np.ndarray,
) -> np.ndarray:
    """[b] scaled predictions for the targets, as the bundle ranks them."""
    ids = np.array(prepared.catalogue.item_ids, object)
    candidates = ids[queries.items[numbers]][:, None]
    inputs = {**requests(numbers), "candidate_item_ids": candidates}
    scores = bundle.ask(signatures.RANK, inputs)["scores"][:, 0]
    return np.clip(prepared.label_scale.scale(scores), 0.0, 1.0)


def _columns(prepared: Prepared, queries: Queries) -> dict[str, np.ndarray]:
    """[queries] names by which TFMA slices."""
    sequences, targets = queries.sequences, queries.targets
    scenarios = np.array([_UNKNOWN, *prepared.scenarios], object)
    event_types = np.array([_UNKNOWN, *prepared.event_types], object)
    return {
        SCENARIO: scenarios[sequences.scenario[targets]],
        EVENT_TYPE: event_types[sequences.event_type[targets]],
        ITEM_POPULARITY: _popularity(prepared, queries),
    }


def _popularity(prepared: Prepared, queries: Queries) -> np.ndarray:
    """[queries] cold, tail, torso or head, as `trainer.evaluation.slices`."""
    names = np.full(len(queries), _UNKNOWN, object)
    for name, chosen in slices(queries, prepared.catalogue.counts).items():
        kind, _, rest = name.partition(":")
        if kind == "item":
            names[chosen] = rest.partition(" ")[0]
    return names


def example(
    label: float, prediction: float, names: dict[str, str]
) -> tf.train.Example:
    """One prediction, label and prediction in [0, 1], and its slices."""

    def floats(value: float) -> tf.train.Feature:
        one = tf.train.FloatList(value=[np.clip(value, 0.0, 1.0)])
        return tf.train.Feature(float_list=one)

    def text(value: str) -> tf.train.Feature:
        one = tf.train.BytesList(value=[value.encode()])
        return tf.train.Feature(bytes_list=one)

    features: dict[str, Any] = {
        LABEL: floats(label),
        PREDICTION: floats(prediction),
        **{key: text(value) for key, value in names.items()},
    }
    return tf.train.Example(features=tf.train.Features(feature=features))
