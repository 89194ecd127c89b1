"""Scores of a trained model for evaluation: queries against all items."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer import metrics
from trainer.batches import in_order, padded_batch
from trainer.behaviour import query_windows
from trainer.evaluation import Queries
from trainer.model import TwoTower
from trainer.prepare import Prepared

_BATCH = 1024


class ModelScorer:
    """Retrieval scores of one set of queries under the model as it is now.

    Args:
        model: the two towers.
        prepared: the data.
        queries: what is asked.
    """

    def __init__(
        self, model: TwoTower, prepared: Prepared, queries: Queries
    ) -> None:
        self._prepared = prepared
        self._windows = query_windows(
            queries.sequences, queries.targets, model.config.data.max_history
        )
        self._vectors = model.catalogue_vectors()
        self._items = self._vectors.numpy().T  # [D, items]
        self._model = model

    def embed(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, D] queries."""
        batch = padded_batch(
            self._prepared.sequences,
            self._windows,
            numbers,
            labels=self._prepared.labels,
            profile_of=self._prepared.profile_of,
            text_of=self._prepared.event_texts.read_code,
        )
        tensors = {name: tf.constant(value) for name, value in batch.items()}
        return self._model.queries(tensors, self._vectors).numpy()

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, items] scores."""
        return self.embed(numbers) @ self._items


def ranking_quality(
    model: TwoTower, prepared: Prepared, queries: Queries, scorer: ModelScorer
) -> dict[str, float]:
    """RMSE and AUC of the ranking head on the targets that have a label.

    AUC tells labels at or above the median of the train labels from those
    below it. RMSE is in the label's own unit, beside that of always saying
    the train mean.

    Returns:
        Nothing where there is no label to rank by; no AUC where all labels
        are on one side.
    """
    labels = prepared.labels[queries.targets]
    numbers = np.flatnonzero(~np.isnan(labels))
    if not model.has_labels or not len(numbers):
        return {}
    predictions = np.concatenate(
        [
            _predict(model, scorer, queries, numbers[part])
            for part in in_order(len(numbers), _BATCH)
        ]
    )
    scale, labels = prepared.label_scale, labels[numbers]
    train = prepared.labels[prepared.sequences.split == 0]
    train = train[~np.isnan(train)]
    known = scale.unscale(labels)
    mean = np.full(len(known), scale.unscale(train.mean()))
    quality = {
        "rmse": metrics.rmse(scale.unscale(predictions), known),
        "rmse_of_mean": metrics.rmse(mean, known),
        "labels": float(len(numbers)),
    }
    is_positive = labels >= np.median(train)
    if 0 < is_positive.sum() < len(is_positive):
        quality["auc"] = metrics.auc(predictions, is_positive)
    return quality


def _predict(
    model: TwoTower, scorer: ModelScorer, queries: Queries, numbers: np.ndarray
) -> np.ndarray:
    """[b] scaled predictions for the targets of some queries."""
    items = model.item_vectors(tf.constant(queries.items[numbers]))
    embedded = tf.constant(scorer.embed(numbers))
    return np.asarray(model.ranking_head(embedded, items))
