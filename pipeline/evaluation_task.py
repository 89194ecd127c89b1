"""The bundles of one evaluation and all that is measured of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.components.util import examples_utils
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from pipeline import ranking_predictions, retrieval_measures
from pipeline.index_measures import measure_index
from pipeline.local_files import bundle_folder
from serving import index
from trainer.bundle_scorer import ExactBundle
from trainer.config import RunConfig
from trainer.evaluation import Queries
from trainer.prepare import Prepared

_PREDICTIONS_FILE = "predictions-00000-of-00001.gz"


class EvaluationTask:
    """Measures the bundle of `inputs["model"]` on some queries.

    Args:
        inputs: `model` and, where there are any, `baseline_model` and
            `scann_model`.
        prepared: the data.
        queries: what is asked.
        config: settings of the run.
        scratch: an empty folder for copies.
    """

    def __init__(
        self,
        inputs: dict[str, Artifact],
        prepared: Prepared,
        queries: Queries,
        config: RunConfig,
        scratch: Path,
    ) -> None:
        self._inputs, self._config = inputs, config
        self._prepared, self._queries = prepared, queries
        self._scratch = scratch
        self._exact_dir = bundle_folder(inputs["model"], scratch)
        self._bundle = ExactBundle(self._exact_dir)

    def describe(self) -> dict[str, Any]:
        """`evaluation.json` without the blessing."""
        prepared, queries = self._prepared, self._queries
        seed = self._config.training.seed
        model = retrieval_measures.measure_bundle(
            self._bundle, prepared, queries, "model"
        )
        previous = None
        if "baseline_model" in self._inputs:
            folder = bundle_folder(
                self._inputs["baseline_model"], self._scratch
            )
            previous = retrieval_measures.measure_bundle(
                ExactBundle(folder), prepared, queries, "last blessed model"
            )
        described = retrieval_measures.describe(
            model, previous, prepared, queries, seed
        )
        described["index"] = measure_index(
            self._exact_dir,
            self._twin_dir(),
            model.scorer.requests,
            np.arange(len(queries)),
            seed,
        )
        return described

    def _twin_dir(self) -> Path:
        """The twin that is given, else one made for the occasion."""
        if "scann_model" in self._inputs:
            return bundle_folder(self._inputs["scann_model"], self._scratch)
        return index.build(
            self._exact_dir,
            self._scratch / f"{self._config.export.model_name}_scann",
            min_items=self._config.export.scann_min_items,
        )

    def write_predictions(self, artifacts: list[Artifact]) -> None:
        """Writes one TFRecord file, empty where there is no label."""
        examples = artifact_utils.get_single_instance(artifacts)
        split = ranking_predictions.SPLIT
        examples.split_names = artifact_utils.encode_split_names([split])
        examples_utils.set_payload_format(
            examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
        )
        folder = artifact_utils.get_split_uri(artifacts, split)
        fileio.makedirs(folder)
        path = os.path.join(folder, _PREDICTIONS_FILE)
        found = ranking_predictions.predictions(
            self._bundle, self._prepared, self._queries
        )
        count = 0
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for example in found:
                writer.write(example.SerializeToString())
                count += 1
        examples.set_int_custom_property("predictions", count)
