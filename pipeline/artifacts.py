"""Artifact types that TFX does not have.

Their names are import paths: a component on Kubeflow Pipelines or Vertex knows
a type by nothing else, and takes `package.Class` only, which is why `pipeline`
itself answers to these names.
"""

from __future__ import annotations

from tfx.types.artifact import Artifact


class DataReview(Artifact):
    """What the checks of statistics found: `review.json`."""

    TYPE_NAME = "pipeline.DataReview"


class TableReview(Artifact):
    """What the checks of rows found: `review.json` and `rejects/`."""

    TYPE_NAME = "pipeline.TableReview"


class RetrievalEvaluation(Artifact):
    """Metrics, slices, intervals and the verdict: `evaluation.json`."""

    TYPE_NAME = "pipeline.RetrievalEvaluation"
