"""Scores of a trained model for evaluation: queries against all items."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer import metrics
from trainer.batches import in_order, padded_batch
from trainer.behaviour import TRAIN, query_windows
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
        self._prepared, self._queries = prepared, queries
        self._windows = query_windows(
            queries.sequences, queries.targets, model.config.data.max_history
        )
        self._vectors = model.catalogue_vectors()
        self._items = self._vectors.numpy().T  # [D, items]
        self._model = model

    def embed(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, D + K] queries."""
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
        return self.scores_of(numbers, self.embed(numbers))

    def products(self, numbers: np.ndarray) -> np.ndarray:
        """[b] query numbers -> [b, items] scores by the towers alone."""
        return self.products_of(self.embed(numbers))

    def products_of(self, embedded: np.ndarray) -> np.ndarray:
        """[b, D] queries -> [b, items] scores by the towers alone."""
        products: np.ndarray = embedded @ self._items
        return products

    def scores_of(
        self, numbers: np.ndarray, embedded: np.ndarray
    ) -> np.ndarray:
        """[b] query numbers and [b, D] of them -> [b, items] scores."""
        products = self.products_of(embedded)
        if self._model.popularity is None:
            return products
        moments = self._queries.moments[numbers]
        scores: np.ndarray = self._model.timely(products, moments).numpy()
        return scores

    def predictions(
        self, numbers: np.ndarray, embedded: np.ndarray, items: np.ndarray
    ) -> np.ndarray:
        """What the ranking head says of some items.

        Args:
            numbers: [b] query numbers.
            embedded: [b, D] of them.
            items: [b, k] item codes.

        Returns:
            [b, k] float32 scaled labels.
        """
        vectors = tf.gather(self._vectors, items)
        queries = tf.broadcast_to(embedded[:, None], tf.shape(vectors))
        sequences, targets = self._queries.sequences, self._queries.targets
        scenario = sequences.scenario[targets[numbers]][:, None]
        scenario = tf.broadcast_to(scenario, items.shape)
        return np.asarray(self._model.predicted(queries, vectors, scenario))


def is_high(prepared: Prepared, targets: np.ndarray) -> np.ndarray:
    """Which targets have a high label.

    At or above the median of the train labels; where that is the lowest one,
    as with events that are views for the most part, above it.

    Args:
        prepared: the data.
        targets: [queries] rows of events.

    Returns:
        [queries] bool, False where there is no label.
    """
    train, labels = _train_labels(prepared), prepared.labels[targets]
    if not len(train):
        return np.zeros(len(labels), bool)
    middle = np.median(train)
    return labels > middle if middle == train.min() else labels >= middle


def _train_labels(prepared: Prepared) -> np.ndarray:
    labels = prepared.labels[prepared.sequences.split == TRAIN]
    return labels[~np.isnan(labels)]


def ranking_quality(
    model: TwoTower, prepared: Prepared, queries: Queries, scorer: ModelScorer
) -> dict[str, float]:
    """RMSE and AUC of the ranking head on the targets that have a label.

    AUC tells high labels from the others, see `is_high`. RMSE is in the
    label's own unit, beside that of always saying the train mean.

    Returns:
        Nothing where there is no label to rank by; no AUC where all labels
        are on one side.
    """
    labels = prepared.labels[queries.targets]
    numbers = np.flatnonzero(~np.isnan(labels))
    if not model.has_labels or not len(numbers):
        return {}
    parts = [numbers[part] for part in in_order(len(numbers), _BATCH)]
    predictions = np.concatenate([
        scorer.predictions(
            part, scorer.embed(part), queries.items[part, None]
        )
        for part in parts
    ])[:, 0]
    scale = prepared.label_scale
    known = scale.unscale(labels[numbers])
    mean = np.full(len(known), scale.unscale(_train_labels(prepared).mean()))
    quality = {
        "rmse": metrics.rmse(scale.unscale(predictions), known),
        "rmse_of_mean": metrics.rmse(mean, known),
        "labels": float(len(numbers)),
    }
    is_positive = is_high(prepared, queries.targets[numbers])
    if 0 < is_positive.sum() < len(is_positive):
        quality["auc"] = metrics.auc(predictions, is_positive)
    return quality
