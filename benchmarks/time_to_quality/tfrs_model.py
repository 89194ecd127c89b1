"""A sequential retrieval model as TFRS's tutorial of that name builds it.

A GRU over the ids of the last events, in-batch softmax by `tasks.Retrieval`,
`FactorizedTopK` over batches of 128 candidates, which the tutorial leaves out
of training steps. One training example is one event and what stood before it.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.behaviour import Sequences

_CANDIDATES = 128  # per batch of the metric's, as in the tutorials
_PADDING = 0  # item codes are moved up by one


def contexts(
    sequences: Sequences, targets: np.ndarray, length: int
) -> np.ndarray:
    """The last events before each target.

    Args:
        sequences: all events.
        targets: [n] rows of the targets.
        length: events that are read.

    Returns:
        [n, length] int32 item codes from 1, 0 where there was no event yet.
    """
    user = np.searchsorted(sequences.starts, targets, "right") - 1
    at = targets[:, None] - np.arange(length, 0, -1)
    is_event = at >= sequences.starts[user][:, None]
    return np.where(is_event, sequences.item[at] + 1, _PADDING).astype(np.int32)


class SequentialModel(tfrs.Model):
    """Query tower over contexts, candidate tower over ids.

    Args:
        num_items: size of the catalogue.
        dim: D, width of both towers' vectors.
        units: of the GRU.
        shares: [items] share of train events of each item, to correct for
            sampling with; accidental hits are then masked too. None does as
            the tutorial does.
    """

    def __init__(
        self,
        num_items: int,
        *,
        dim: int,
        units: int,
        shares: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        layers = tf.keras.layers
        self.query_model = tf.keras.Sequential([
            layers.Embedding(num_items + 1, dim),
            layers.GRU(units),
            layers.Dense(dim),
        ])
        self.candidate_model = layers.Embedding(num_items, dim)
        self._shares = None if shares is None else tf.constant(
            shares, tf.float32
        )
        candidates = tf.data.Dataset.range(num_items).batch(_CANDIDATES)
        self.task = tfrs.tasks.Retrieval(
            metrics=tfrs.metrics.FactorizedTopK(
                candidates=candidates.map(self.candidate_model)
            ),
            remove_accidental_hits=shares is not None,
        )

    def compute_loss(
        self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """The batch's summed loss.

        Args:
            inputs: [B, length] contexts and [B] item codes.
            training: whether to leave the metrics out.
        """
        context, items = inputs
        correction = {} if self._shares is None else {
            "candidate_ids": items,
            "candidate_sampling_probability": tf.gather(self._shares, items),
        }
        return self.task(
            self.query_model(context),
            self.candidate_model(items),
            compute_metrics=not training,
            **correction,
        )
