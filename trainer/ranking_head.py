"""The ranking head: ratings and strengths of events, of query and item."""

from __future__ import annotations

import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.config import ModelConfig, RankingLossName
from trainer.ranking_losses import listwise_loss, pairwise_loss
from trainer.replicas import over_replicas

_SIDE_DIM = 16  # width of the scenario embedding


class RankingHead(tf.keras.layers.Layer):
    """Predicts a rating or an event's strength from query and item.

    What people do differs by scenario more than what they choose, and a query
    tells its scenario only where the choice depends on it: so the head is
    told.

    Args:
        config: sizes.
        num_scenarios: vocabulary size, unknown included.
        loss: what is learned, as `TrainingConfig.ranking_loss` says.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        num_scenarios: int,
        loss: RankingLossName = "pointwise",
    ) -> None:
        # Keras would round the first argument alone to a half precision.
        super().__init__(name="ranking_head", autocast=False)
        self._loss = loss
        self._task = tfrs.tasks.Ranking(
            loss=tf.keras.losses.MeanSquaredError(
                reduction=tf.keras.losses.Reduction.NONE
            )
        )
        layers = tf.keras.layers
        self.scenario = layers.Embedding(num_scenarios, _SIDE_DIM)
        self.hidden = layers.Dense(config.embedding_dim, activation="relu")
        self.output_layer = layers.Dense(1, dtype="float32")
        # Of scores to labels; set by `trainer.ranking_training.calibrate`.
        self.slope, self.offset = (
            self.add_weight(
                name, [], initializer=start, dtype="float32", trainable=False
            )
            for name, start in (("slope", "ones"), ("offset", "zeros"))
        )

    def scores(
        self, queries: tf.Tensor, item_vectors: tf.Tensor, scenario: tf.Tensor
    ) -> tf.Tensor:
        """What losses compare.

        Args:
            queries, item_vectors: [..., D].
            scenario: [...] int32, the scenario that is asked.

        Returns:
            [...] float32.
        """
        parts = (
            queries, item_vectors, queries * item_vectors,
            self.scenario(scenario),
        )
        told = tf.concat([tf.cast(each, tf.float32) for each in parts], axis=-1)
        return tf.squeeze(self.output_layer(self.hidden(told)), axis=-1)

    def call(
        self, queries: tf.Tensor, item_vectors: tf.Tensor, scenario: tf.Tensor
    ) -> tf.Tensor:
        """The scores on the line to labels: [...] float32, labels scaled."""
        slope, offset = (
            tf.cast(each, tf.float32) for each in (self.slope, self.offset)
        )
        return slope * self.scores(queries, item_vectors, scenario) + offset

    def loss(
        self,
        queries: tf.Tensor,
        items: tf.Tensor,
        targets: tf.Tensor,
        batch: dict[str, tf.Tensor],
    ) -> tf.Tensor:
        """The head's loss, averaged over target events or over windows.

        Squared errors are averaged over the target events that have a label;
        losses of pairs and lists over the windows in which there is one.

        Args:
            queries, items: [P, D] of the target events.
            targets: [P, 2] window, position.
            batch: tensors of `trainer.batches.SIGNATURE`.

        Returns:
            Scalar float32, one replica's share as of `TwoTower.compute_loss`.
        """
        labels = tf.gather_nd(batch["label"], targets)
        labelled = tf.where(~tf.math.is_nan(labels))[:, 0]
        labels, places = (
            tf.gather(each, labelled) for each in (labels, targets)
        )
        scores = self.scores(
            tf.gather(queries, labelled),
            tf.gather(items, labelled),
            tf.gather_nd(batch["scenario"], places),
        )
        if self._loss == "pointwise":
            losses = self._task(
                labels=labels[:, None],
                predictions=scores[:, None],
                compute_metrics=False,
            )
            counted = tf.shape(losses)[0]
        else:
            shape = tf.shape(batch["label"], tf.int64)
            lists, wanted, found = (
                tf.scatter_nd(places, each, shape)
                for each in (scores, labels, tf.ones_like(labels))
            )  # [B, L]
            loss_of = {"pairwise": pairwise_loss, "listwise": listwise_loss}
            losses, is_counted = loss_of[self._loss](lists, wanted, found > 0)
            counted = tf.math.count_nonzero(is_counted)
        return tf.reduce_sum(losses) / over_replicas(counted)
