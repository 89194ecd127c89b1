"""ParityValidator: the saved model answers as the model that was trained."""

from __future__ import annotations

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

from pipeline import parity
from pipeline import prepared as prepared_files
from pipeline.fingerprint import source_fingerprint
from pipeline.local_files import bundle_folder
from pipeline.parity_questions import Trained
from pipeline.raw_rows import sample_records
from serving.manifest import Manifest
from trainer.config import config_from
from trainer.records import load_prepared
from trainer.restored import restore

_CODE = (
    "pipeline.parity",
    "pipeline.parity_answers",
    "pipeline.parity_questions",
    "pipeline.raw_rows",
    "serving",
    "trainer",
)
# File and property names of TFX's InfraValidator, which keeps them private.
_BLESSED, _NOT_BLESSED = "INFRA_BLESSED", "INFRA_NOT_BLESSED"
_TRANSFORMED = ("sequences", "catalogue", "sequence_graph", "catalogue_graph")


class ParityValidatorSpec(ComponentSpec):
    """Inputs, outputs and properties of `ParityValidator`."""

    PARAMETERS = {
        "num_users": ExecutionParameter(type=int),
        "num_items": ExecutionParameter(type=int),
        "tolerance": ExecutionParameter(type=float),
        "code_fingerprint": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
        "raw_sequences": ChannelParameter(type=standard_artifacts.Examples),
        "raw_catalogue": ChannelParameter(type=standard_artifacts.Examples),
        "sequences": ChannelParameter(type=standard_artifacts.Examples),
        "catalogue": ChannelParameter(type=standard_artifacts.Examples),
        "sequence_graph": ChannelParameter(
            type=standard_artifacts.TransformGraph
        ),
        "catalogue_graph": ChannelParameter(
            type=standard_artifacts.TransformGraph
        ),
    }
    OUTPUTS = {
        "blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)
    }


class Executor(base_executor.BaseExecutor):
    """Restores the model here, and asks the bundle in another process."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Blesses, or tells what differs and fails."""
        self._log_startup(input_dict, output_dict, exec_properties)
        inputs = {
            name: artifact_utils.get_single_instance(artifacts)
            for name, artifacts in input_dict.items()
        }
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        with tempfile.TemporaryDirectory() as folder:
            told = _differences(inputs, exec_properties, Path(folder))
        name = _NOT_BLESSED if told else _BLESSED
        io_utils.write_string_file(os.path.join(blessing.uri, name), "")
        blessing.set_int_custom_property("blessed", 0 if told else 1)
        if told:
            raise parity.ParityError(
                f"the model in {inputs['model'].uri} does not answer as it "
                f"was trained: {'; '.join(told)}. It must not be served; "
                "compare trainer.requests with pipeline.preprocessing."
            )


def _differences(
    inputs: dict[str, Artifact], exec_properties: dict[str, Any], scratch: Path
) -> list[str]:
    version_dir = bundle_folder(inputs["model"], scratch / "model")
    # As it was trained: a tuner may have changed what the pipeline asked for.
    told = Manifest.read(version_dir).config
    config = config_from(json.loads(json.dumps(told)))
    paths = prepared_files.records_of(*(inputs[n] for n in _TRANSFORMED))
    prepared = load_prepared(paths, config.text)
    job_dir = scratch / "job"
    io_utils.copy_dir(inputs["model_run"].uri, str(job_dir))
    model, encoder = restore(prepared, config, job_dir)
    trained = Trained(model, encoder, prepared, paths, scratch)
    seed = config.training.seed
    questions = trained.questions(
        sample_records(
            inputs["raw_sequences"], exec_properties["num_users"], seed
        ),
        sample_records(
            inputs["raw_catalogue"], exec_properties["num_items"], seed
        ),
    )
    answers = parity.ask_in_new_process(version_dir, questions, scratch)
    return parity.differences(
        questions, answers, exec_properties["tolerance"]
    )


class ParityValidator(base_component.BaseComponent):
    """Raw rows through Transform and Keras equal the saved model on them.

    Args:
        model: the exact bundle.
        model_run: the job folder that it was exported from.
        raw_sequences, raw_catalogue: as SequenceBuilder writes them.
        transformed: channels `sequences`, `catalogue`, `sequence_graph` and
            `catalogue_graph` of the two Transforms.
        num_users, num_items: rows that are compared.
        tolerance: greatest absolute difference, ratings scaled to [0, 1].
            1e-5 fits float32; mixed precision needs about 1e-2.
    """

    SPEC_CLASS = ParityValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        model_run: BaseChannel,
        raw_sequences: BaseChannel,
        raw_catalogue: BaseChannel,
        transformed: dict[str, BaseChannel],
        *,
        num_users: int = 32,
        num_items: int = 32,
        tolerance: float = 1e-5,
    ) -> None:
        spec = ParityValidatorSpec(
            model=model,
            model_run=model_run,
            raw_sequences=raw_sequences,
            raw_catalogue=raw_catalogue,
            **transformed,
            num_users=num_users,
            num_items=num_items,
            tolerance=tolerance,
            code_fingerprint=source_fingerprint(__name__, *_CODE),
            blessing=Channel(type=standard_artifacts.InfraBlessing),
        )
        super().__init__(spec=spec)
