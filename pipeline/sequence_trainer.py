"""TFX's Trainer over sequences, with the catalogue as a second input."""

from __future__ import annotations

from typing import Any

from tfx.components.trainer import executor as tfx_executor
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel, artifact_utils
from tfx.types.artifact import Artifact
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_artifacts import (
    Examples,
    Model,
    ModelRun,
    TransformGraph,
)
from tfx.types.standard_component_specs import TrainerSpec
from tfx.utils import json_utils

from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.prepared import SPLIT, records_of
from trainer.config import RunConfig
from trainer.settings import as_json

_SOURCES = ("schema", "serving", "trainer", "pipeline.sequence_trainer",
            "pipeline.prepared")


class SequenceTrainerSpec(TrainerSpec):
    """TFX's, with the transformed catalogue beside the sequences."""

    INPUTS = {
        **TrainerSpec.INPUTS,
        "catalogue": ChannelParameter(type=Examples),
        "catalogue_graph": ChannelParameter(type=TransformGraph),
    }


class SequenceTrainerExecutor(tfx_executor.GenericExecutor):
    """Tells `run_fn` where the second input is."""

    def _GetFnArgs(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)

        def single(name: str) -> Artifact:
            return artifact_utils.get_single_instance(input_dict[name])

        records = records_of(
            single("examples"),
            single("catalogue"),
            single("transform_graph"),
            single("catalogue_graph"),
        )
        fn_args.custom_config["records"] = vars(records)
        return fn_args


class SequenceTrainer(base_component.BaseComponent):
    """Trains by `trainer.run_fn`, the same run as `python -m trainer.task`.

    Args:
        sequences, catalogue: transformed examples.
        sequence_graph, catalogue_graph: of their Transforms.
        config: all settings.
        base_model: the last blessed model, whose weights are gone on from.
        hyperparameters: what a Tuner found.
        work_dir: local folder for checkpoints, so that a killed training goes
            on; without it it starts again.
    """

    SPEC_CLASS = SequenceTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(SequenceTrainerExecutor)

    def __init__(
        self,
        sequences: BaseChannel,
        catalogue: BaseChannel,
        sequence_graph: BaseChannel,
        catalogue_graph: BaseChannel,
        *,
        config: RunConfig,
        base_model: BaseChannel | None = None,
        hyperparameters: BaseChannel | None = None,
        work_dir: str = "",
    ) -> None:
        custom = {
            "config": as_json.to_json(config),
            "work_dir": work_dir,
            CODE_FINGERPRINT: source_fingerprint(*_SOURCES),
        }
        super().__init__(
            SequenceTrainerSpec(
                examples=sequences,
                catalogue=catalogue,
                transform_graph=sequence_graph,
                catalogue_graph=catalogue_graph,
                base_model=base_model,
                hyperparameters=hyperparameters,
                run_fn="trainer.run_fn.run_fn",
                train_args=trainer_pb2.TrainArgs(splits=[SPLIT]),
                eval_args=trainer_pb2.EvalArgs(splits=[SPLIT]),
                custom_config=json_utils.dumps(custom),
                model=Channel(type=Model),
                model_run=Channel(type=ModelRun),
            )
        )
