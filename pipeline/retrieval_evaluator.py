"""RetrievalEvaluator: measures what would be served, and blesses it or not."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import (
    BaseChannel,
    Channel,
    artifact_utils,
    standard_artifacts,
)
from tfx.types.artifact import Artifact
from tfx.types.component_spec import (
    ChannelParameter,
    ComponentSpec,
    ExecutionParameter,
)
from tfx.utils import io_utils

from pipeline import prepared as prepared_files
from pipeline import retrieval_measures
from pipeline.artifacts import RetrievalEvaluation
from pipeline.blessing import judge
from pipeline.blessing_mark import bless
from pipeline.evaluation_task import EvaluationTask
from pipeline.fingerprint import source_fingerprint
from pipeline.thresholds import Thresholds
from trainer.config import RunConfig
from trainer.evaluation import Queries
from trainer.settings import as_json

EVALUATION_FILE = "evaluation.json"
_MAX_QUERIES = 100_000

Artifacts = dict[str, list[Artifact]]


class RetrievalEvaluatorSpec(ComponentSpec):
    """Inputs, outputs and properties of `RetrievalEvaluator`."""

    PARAMETERS = {
        "config": ExecutionParameter(type=str),
        "thresholds": ExecutionParameter(type=str, optional=True),
        "force_bless_reason": ExecutionParameter(type=str, optional=True),
        "max_queries": ExecutionParameter(type=int, optional=True),
        "code_fingerprint": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "sequences": ChannelParameter(type=standard_artifacts.Examples),
        "catalogue": ChannelParameter(type=standard_artifacts.Examples),
        "sequence_graph": ChannelParameter(
            type=standard_artifacts.TransformGraph
        ),
        "catalogue_graph": ChannelParameter(
            type=standard_artifacts.TransformGraph
        ),
        "baseline_model": ChannelParameter(
            type=standard_artifacts.Model, optional=True
        ),
        "scann_model": ChannelParameter(
            type=standard_artifacts.Model, optional=True
        ),
    }
    OUTPUTS = {
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "evaluation": ChannelParameter(type=RetrievalEvaluation),
        "ranking_predictions": ChannelParameter(
            type=standard_artifacts.Examples
        ),
    }


class Executor(base_executor.BaseExecutor):
    """Runs on one machine: the arrays of the test split fit in memory."""

    def Do(
        self,
        input_dict: Artifacts,
        output_dict: Artifacts,
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the evaluation, the predictions and, last, the blessing."""
        self._log_startup(input_dict, output_dict, exec_properties)
        config = as_json.from_text(exec_properties["config"])
        thresholds = Thresholds.from_json(
            exec_properties.get("thresholds") or ""
        )
        inputs = {
            name: artifact_utils.get_single_instance(artifacts)
            for name, artifacts in input_dict.items()
            if artifacts  # a resolver may have found nothing
        }
        prepared = prepared_files.read_prepared(
            inputs["sequences"],
            inputs["catalogue"],
            inputs["sequence_graph"],
            inputs["catalogue_graph"],
        )
        queries = retrieval_measures.held_out_queries(
            prepared,
            exclude_seen=config.data.exclude_seen,
            limit=exec_properties.get("max_queries") or _MAX_QUERIES,
            seed=config.training.seed,
        )
        _check_queries(queries, config)
        with tempfile.TemporaryDirectory() as scratch:
            task = EvaluationTask(
                inputs, prepared, queries, config, Path(scratch)
            )
            evaluation = task.describe()
            verdict = judge(
                evaluation,
                thresholds,
                exec_properties.get("force_bless_reason") or "",
            )
            evaluation["blessing"] = dataclasses.asdict(verdict)
            task.write_predictions(output_dict["ranking_predictions"])
        folder = artifact_utils.get_single_uri(output_dict["evaluation"])
        io_utils.write_string_file(
            os.path.join(folder, EVALUATION_FILE),
            json.dumps(evaluation, indent=2, ensure_ascii=False) + "\n",
        )
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        bless(blessing, verdict, inputs, exec_properties)


def _check_queries(queries: Queries, config: RunConfig) -> None:
    if not len(queries):
        raise ValueError(
            f"split {config.data.split} leaves no test events to evaluate on; "
            "raise test_share or bring more events."
        )


class RetrievalEvaluator(base_component.BaseComponent):
    """Full-catalogue metrics, slices, index, samples, and the blessing.

    Args:
        model: the exact bundle, as the trainer writes it.
        sequences, catalogue: transformed examples.
        sequence_graph, catalogue_graph: their transform graphs.
        config: settings of the run.
        thresholds: to be kept; default ones if None.
        baseline_model: the last blessed model; may resolve to nothing.
        scann_model: the twin; one is built for the occasion if None.
        force_bless_reason: blesses in spite of failures, which are recorded
            beside this reason.
        max_queries: test targets that are evaluated, drawn beyond that.
    """

    SPEC_CLASS = RetrievalEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        sequences: BaseChannel,
        catalogue: BaseChannel,
        sequence_graph: BaseChannel,
        catalogue_graph: BaseChannel,
        *,
        config: RunConfig,
        thresholds: Thresholds | None = None,
        baseline_model: BaseChannel | None = None,
        scann_model: BaseChannel | None = None,
        force_bless_reason: str = "",
        max_queries: int = _MAX_QUERIES,
    ) -> None:
        spec = RetrievalEvaluatorSpec(
            model=model,
            sequences=sequences,
            catalogue=catalogue,
            sequence_graph=sequence_graph,
            catalogue_graph=catalogue_graph,
            baseline_model=baseline_model,
            scann_model=scann_model,
            config=as_json.to_json(config),
            thresholds=(thresholds or Thresholds()).to_json(),
            force_bless_reason=force_bless_reason,
            max_queries=max_queries,
            code_fingerprint=source_fingerprint(__name__, *_CODE),
            blessing=Channel(type=standard_artifacts.ModelBlessing),
            evaluation=Channel(type=RetrievalEvaluation),
            ranking_predictions=Channel(type=standard_artifacts.Examples),
        )
        super().__init__(spec=spec)


_CODE = (
    "pipeline.blessing",
    "pipeline.blessing_mark",
    "pipeline.evaluation_task",
    "pipeline.index_measures",
    "pipeline.prepared",
    "pipeline.ranking_predictions",
    "pipeline.retrieval_measures",
    "pipeline.thresholds",
    "serving.index",
    "serving.search",
    "trainer.baselines",
    "trainer.bundle_scorer",
    "trainer.evaluation",
    "trainer.intervals",
    "trainer.metrics",
    "trainer.top_lists",
)
