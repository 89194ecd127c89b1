"""What fitting must know of a text encoder that is tuned with the towers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from trainer.refresh import Refresh
from trainer.tuning.rank_allocation import RankAllocation


@dataclasses.dataclass(frozen=True)
class TunedPart:
    """The part of a model that is a tuned text encoder.

    Attributes:
        weights: of it that are trained.
        learning_rate: their peak step size.
        refresh: of what the encoder has read.
        allocation: of rank, made under `strategy.scope()`; no epoch that
            ends before it has settled is the best one.
    """

    weights: Sequence[tf.Variable]
    learning_rate: float
    refresh: Refresh
    allocation: RankAllocation | None = None
