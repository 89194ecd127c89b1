"""Artifact types that TFX does not have."""

from __future__ import annotations

from tfx.types.artifact import Artifact


class DataReview(Artifact):
    """What the checks of statistics found: `review.json`."""

    TYPE_NAME = "InterestTowersDataReview"


class TableReview(Artifact):
    """What the checks of rows found: `review.json` and `rejects/`."""

    TYPE_NAME = "InterestTowersTableReview"


class RetrievalEvaluation(Artifact):
    """Metrics, slices, intervals and the verdict: `evaluation.json`."""

    TYPE_NAME = "InterestTowersRetrievalEvaluation"
