"""The ranking head by itself: fitted on towers that stand still, calibrated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer.batches import SIGNATURE
from trainer.evaluation import Queries
from trainer.job import RANKING_HEAD
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.scoring import ModelScorer, ranking_quality
from trainer.training import Batches, Fit

EPOCHS = 10  # at most, of separate training
_CALIBRATION_BATCHES = 20  # for two numbers
_LEAST_SLOPE = 1e-3  # a head that has learnt nothing keeps its order


class HeadAlone(tf.Module):
    """What `Fit` trains of a model whose towers are ready: its ranking head.

    Args:
        model: holds the towers' weights.
        batches: training batches.
    """

    def __init__(self, model: TwoTower, batches: Batches) -> None:
        super().__init__(name="head_alone")
        self.ranking_head = model.ranking_head
        self.optimizer: tf.keras.optimizers.Optimizer | None = None
        # Past tf.Module, which would save the towers with the head.
        self.__dict__.update(model=model, batches=batches)

    @property
    def trainable_variables(self) -> Sequence[tf.Variable]:
        """The head's alone."""
        return self.ranking_head.trainable_variables

    def compute_loss(
        self, inputs: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """The ranking loss on the towers' vectors, without their dropout.

        Args:
            inputs: tensors of `trainer.batches.SIGNATURE`.
            training: makes no difference.

        Returns:
            Scalar float32, one replica's share as of `TwoTower.compute_loss`.
        """
        queries, items, targets = self._pairs(inputs)
        return self.model.ranking_head.loss(queries, items, targets, inputs)

    def calibrate(self) -> None:
        """Lets the head say labels where it has learnt their order alone.

        Losses of pairs and lists leave the unit of a score open. The line
        that fits the labels of some train batches best, by least squares, is
        put behind the scores; the order stays.
        """
        training = self.model.config.training
        if not self.model.has_labels or training.ranking_loss == "pointwise":
            return
        found = [
            self._scored({k: tf.constant(v) for k, v in batch.items()})
            for batch in islice(self.batches.epoch(0), _CALIBRATION_BATCHES)
        ]
        scores, labels = (
            np.concatenate(each) for each in zip(*found, strict=True)
        )
        slope, offset = fitted_line(scores, labels)
        self.ranking_head.slope.assign(slope)
        self.ranking_head.offset.assign(offset)

    @tf.function(input_signature=[SIGNATURE], autograph=False)
    def _scored(
        self, batch: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores and labels of the target events that have a label."""
        queries, items, targets = self._pairs(batch)
        labels, scenario = (
            tf.gather_nd(batch[name], targets) for name in ("label", "scenario")
        )
        known = ~tf.math.is_nan(labels)
        scores = self.ranking_head.scores(queries, items, scenario)
        return tf.boolean_mask(scores, known), tf.boolean_mask(labels, known)

    def _pairs(
        self, batch: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """[P, D] queries and [P, D] items of [P, 2] targets."""
        model = self.model
        targets = tf.where(batch["is_target"])  # [P, 2] window, position
        codes, columns = tf.unique(tf.reshape(batch["item"], [-1]))
        columns = tf.reshape(columns, tf.shape(batch["item"]))
        event_vectors = tf.gather(model.item_vectors(codes), columns)
        hidden, interests = model.states(batch, event_vectors)
        queries = model.user_tower.head(
            tf.gather_nd(hidden, targets),
            tf.gather_nd(interests, targets),
            tf.gather_nd(batch["scenario"], targets),
        )
        return queries, tf.gather_nd(event_vectors, targets), targets


def fitted_line(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the least-squares line from scores to labels.

    Args:
        scores, labels: [events] float32.

    Returns:
        A slope above 0, so that no order is reversed; 1 where all scores are
        equal.

    Example:
        >>> fitted_line(np.array([0.0, 2.0]), np.array([0.25, 0.75]))
        (0.25, 0.25)
    """
    if not len(scores):
        return 1.0, 0.0
    apart = scores - scores.mean()
    spread = float(apart @ apart)
    slope = float(apart @ labels) / spread if spread > 0 else 1.0
    slope = max(slope, _LEAST_SLOPE)
    return slope, float(labels.mean() - slope * scores.mean())


def fit_head(
    head: HeadAlone,
    prepared: Prepared,
    queries: Queries,
    *,
    strategy: tf.distribute.Strategy,
    job_dir: Path,
) -> None:
    """Fits the head for a few epochs; the model then holds the best one.

    Args:
        head: of a model with the towers of its best epoch.
        prepared: the data.
        queries: of validation. AUC chooses the epoch; where all labels are
            on one side, the first one is kept.
        strategy: where a step runs.
        job_dir: of the run; a killed run goes on from its last epoch.
    """
    print("the ranking head, on the towers of the best epoch:")
    scorer = ModelScorer(head.model, prepared, queries)

    def validate() -> float:
        head.calibrate()
        found = ranking_quality(head.model, prepared, queries, scorer)
        return found.get("auc", 0.0)

    training = head.model.config.training
    fit = Fit(
        head,
        head.batches,
        dataclasses.replace(training, epochs=EPOCHS),
        strategy=strategy,
        job_dir=job_dir / RANKING_HEAD,
        measure="auc",
    )
    fit.run(validate)
