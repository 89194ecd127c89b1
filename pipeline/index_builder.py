"""IndexBuilder: the ScaNN twin of a model's exact bundle."""

from __future__ import annotations

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
from tfx.utils import io_utils, path_utils

from pipeline.fingerprint import source_fingerprint
from pipeline.local_files import bundle_folder
from serving import index
from serving.manifest import Manifest

_CODE = ("serving.index", "serving.scann_model", "serving.search")
_SUFFIX = "_scann"  # of the twin's name


class IndexBuilderSpec(ComponentSpec):
    """Inputs, outputs and properties of `IndexBuilder`."""

    PARAMETERS = {
        "min_items": ExecutionParameter(type=int),
        "code_fingerprint": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {"model": ChannelParameter(type=standard_artifacts.Model)}
    OUTPUTS = {"scann_model": ChannelParameter(type=standard_artifacts.Model)}


class Executor(base_executor.BaseExecutor):
    """Builds beside, then copies: half a twin is never an artifact."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `Format-Serving/` of `scann_model`."""
        self._log_startup(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["model"])
        target = artifact_utils.get_single_uri(output_dict["scann_model"])
        with tempfile.TemporaryDirectory() as scratch:
            exact_dir = bundle_folder(model, Path(scratch) / "model")
            name = Manifest.read(exact_dir).model_name
            twin = index.build(
                exact_dir,
                Path(scratch) / f"{name}{_SUFFIX}",
                min_items=exec_properties["min_items"],
            )
            io_utils.copy_dir(str(twin), path_utils.serving_model_dir(target))


class IndexBuilder(base_component.BaseComponent):
    """The same signatures over a ScaNN index.

    Args:
        model: the exact bundle, as the trainer writes it.
        min_items: smaller catalogues keep exact search, and the manifest of
            the twin says so.
    """

    SPEC_CLASS = IndexBuilderSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self, model: BaseChannel, *, min_items: int = index.MIN_ITEMS
    ) -> None:
        spec = IndexBuilderSpec(
            model=model,
            min_items=min_items,
            code_fingerprint=source_fingerprint(__name__, *_CODE),
            scann_model=Channel(type=standard_artifacts.Model),
        )
        super().__init__(spec=spec)
