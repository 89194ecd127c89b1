"""TFX's Tuner over sequences, with the catalogue as a second input."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any

from tfx.components.tuner import executor as tfx_executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel, artifact_utils
from tfx.types.artifact import Artifact
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_artifacts import (
    Examples,
    HyperParameters,
    TransformGraph,
    TunerResults,
)
from tfx.types.standard_component_specs import (
    CUSTOM_CONFIG_KEY,
    EXAMPLES_KEY,
    TRANSFORM_GRAPH_KEY,
    TunerSpec,
)
from tfx.utils import json_utils

from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.prepared import SPLIT, records_of
from trainer.config import RunConfig
from trainer.settings import as_json

_SOURCES = ("schema", "serving", "trainer", "pipeline.run_tuner",
            "pipeline.sequence_tuner", "pipeline.prepared")


class SequenceTunerSpec(TunerSpec):
    """TFX's, with the transformed catalogue beside the sequences."""

    INPUTS = {
        **TunerSpec.INPUTS,
        "catalogue": ChannelParameter(type=Examples),
        "catalogue_graph": ChannelParameter(type=TransformGraph),
    }


class SequenceTunerExecutor(tfx_executor.Executor):
    """Searches on this machine."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the best values and the scores of all trials."""

        def single(name: str) -> Artifact:
            return artifact_utils.get_single_instance(input_dict[name])

        records = records_of(
            single(EXAMPLES_KEY),
            single("catalogue"),
            single(TRANSFORM_GRAPH_KEY),
            single("catalogue_graph"),
        )
        custom = json_utils.loads(exec_properties[CUSTOM_CONFIG_KEY])
        custom["records"] = vars(records)
        told = {**exec_properties, CUSTOM_CONFIG_KEY: json_utils.dumps(custom)}
        with tempfile.TemporaryDirectory() as scratch:
            tuner = tfx_executor.search(
                input_dict,
                told,
                custom["work_dir"] or scratch,
                print_tuning_summary=False,
            )
            tfx_executor.write_best_hyperparameters(tuner, output_dict)
            shutil.rmtree(tuner.directory)


class SequenceTuner(base_component.BaseComponent):
    """Searches `trainer.search_space` for the best validation NDCG@10.

    Args:
        sequences, catalogue: transformed examples.
        sequence_graph, catalogue_graph: of their Transforms.
        config: all settings; what is not searched stays as it says.
        trials: number of trials, the first one with the settings themselves.
        base_model: what all trials go on from, as the training will.
        work_dir: local folder, so that a killed search goes on.
    """

    SPEC_CLASS = SequenceTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SequenceTunerExecutor)

    def __init__(
        self,
        sequences: BaseChannel,
        catalogue: BaseChannel,
        sequence_graph: BaseChannel,
        catalogue_graph: BaseChannel,
        *,
        config: RunConfig,
        trials: int,
        base_model: BaseChannel | None = None,
        work_dir: str = "",
    ) -> None:
        custom = {
            "config": as_json.to_json(config),
            "trials": trials,
            "work_dir": work_dir,
            CODE_FINGERPRINT: source_fingerprint(*_SOURCES),
        }
        super().__init__(
            SequenceTunerSpec(
                examples=sequences,
                catalogue=catalogue,
                transform_graph=sequence_graph,
                catalogue_graph=catalogue_graph,
                base_model=base_model,
                tuner_fn="pipeline.run_tuner.tuner_fn",
                train_args=trainer_pb2.TrainArgs(splits=[SPLIT]),
                eval_args=trainer_pb2.EvalArgs(splits=[SPLIT]),
                custom_config=json_utils.dumps(custom),
                best_hyperparameters=Channel(type=HyperParameters),
                tuner_results=Channel(type=TunerResults),
            )
        )
