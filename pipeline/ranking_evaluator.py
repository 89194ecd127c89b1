"""TFMA's Evaluator on the predictions that RetrievalEvaluator wrote.

TFX 1.16's Evaluator can do without a model only if nothing is to be blessed:
with thresholds it looks the model up to name it in the blessing. So it gets
the model, and `custom_eval_shared_model` below tells it not to load it: the
predictions are there already.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tfx.components import Evaluator
from tfx.components.evaluator import executor as tfx_executor
from tfx.components.util import examples_utils
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.types import BaseChannel, artifact_utils
from tfx.types.artifact import Artifact

from pipeline.blessing import Verdict
from pipeline.blessing_mark import bless
from pipeline.ranking_predictions import (
    EVENT_TYPE,
    ITEM_POPULARITY,
    LABEL,
    PREDICTION,
    SCENARIO,
    SPLIT,
)
from pipeline.thresholds import Thresholds

NO_LABELS = "no test target has a label: there is nothing to rank by"


def custom_eval_shared_model(**_: Any) -> None:
    """No model: TFX calls this by name, and TFMA reads the predictions."""
    return None


def _eval_config(thresholds: Thresholds) -> tfma.EvalConfig:
    """Metrics, slices and thresholds of the ranking head.

    Labels lie in [0, 1] and need not be whole: AUC counts a label of 0.7 as
    0.7 of a positive and 0.3 of a negative. Thresholds hold over all
    predictions; slices are to be looked at, and small ones are noisy.
    """
    number, least = wrappers_pb2.DoubleValue, thresholds.min_ranking_auc
    rmse = tfma.GenericValueThreshold(
        upper_bound=number(value=thresholds.max_ranking_rmse)
    )
    auc = least is not None and tfma.GenericValueThreshold(
        lower_bound=number(value=least)
    )
    metrics = [
        tfma.MetricConfig(class_name="ExampleCount"),
        tfma.MetricConfig(
            class_name="RootMeanSquaredError",
            per_slice_thresholds=_over_all(rmse),
        ),
        tfma.MetricConfig(
            class_name="AUC", per_slice_thresholds=_over_all(auc)
        ),
        tfma.MetricConfig(class_name="Calibration"),
        tfma.MetricConfig(class_name="MeanLabel"),
        tfma.MetricConfig(class_name="MeanPrediction"),
    ]
    keys = (SCENARIO, ITEM_POPULARITY, EVENT_TYPE)
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(label_key=LABEL, prediction_key=PREDICTION)
        ],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[key]) for key in keys),
        ],
    )


def _over_all(threshold: Any) -> list[tfma.PerSliceMetricThreshold]:
    """For all predictions together; a plain threshold binds each slice."""
    if not threshold:
        return []
    return [
        tfma.PerSliceMetricThreshold(
            slicing_specs=[tfma.SlicingSpec()],
            threshold=tfma.MetricThreshold(value_threshold=threshold),
        )
    ]


class Executor(tfx_executor.Executor):
    """TFX's own, but for data without a single label, which it blesses."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes TFMA's evaluation and the blessing."""
        if _has_predictions(input_dict["examples"]):
            super().Do(input_dict, output_dict, exec_properties)
            return
        bless(
            artifact_utils.get_single_instance(output_dict["blessing"]),
            Verdict(True, [NO_LABELS]),
            {"model": artifact_utils.get_single_instance(input_dict["model"])},
            exec_properties,
        )


def _has_predictions(examples: list[Artifact]) -> bool:
    """Whether any file holds a record; only the first one is read."""
    files = [
        file
        for pattern in examples_utils.get_split_file_patterns(examples, SPLIT)
        for file in fileio.glob(pattern)
    ]
    records = tf.data.TFRecordDataset(files, "GZIP")
    return bool(files) and any(True for _ in records.take(1))


class RankingEvaluator(Evaluator):
    """Quality of the ranking head by scenario, popularity and event type.

    Where no target has a label, the blessing is given with that message and
    there is no evaluation.

    Args:
        ranking_predictions: as RetrievalEvaluator writes them.
        model: whose predictions they are.
        thresholds: those of the ranking head are kept.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        ranking_predictions: BaseChannel,
        model: BaseChannel,
        thresholds: Thresholds | None = None,
    ) -> None:
        super().__init__(
            examples=ranking_predictions,
            model=model,
            example_splits=[SPLIT],
            eval_config=_eval_config(thresholds or Thresholds()),
            module_path=__name__,
        )
