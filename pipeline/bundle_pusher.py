"""BundlePusher: publishes a blessed bundle as the next version."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from tfx.components.pusher import executor as tfx_executor
from tfx.dsl.components.base import base_component, executor_spec
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

from pipeline import published_versions
from pipeline.fingerprint import source_fingerprint
from pipeline.local_files import bundle_folder, local_folder

_LOG = logging.getLogger(__name__)
_TWIN = "_scann"  # ends the name of the folder beside
_BLESSINGS = ("model_blessing", "infra_blessing", "ranking_blessing")
_CODE = ("pipeline.published_versions", "serving.manifest", "serving.versions")

Artifacts = dict[str, list[Artifact]]


class BundlePusherSpec(ComponentSpec):
    """Inputs, outputs and properties of `BundlePusher`."""

    PARAMETERS = {
        "base_directory": ExecutionParameter(type=str),
        "code_fingerprint": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(
            type=standard_artifacts.ModelBlessing
        ),
        "infra_blessing": ChannelParameter(
            type=standard_artifacts.InfraBlessing
        ),
        "ranking_blessing": ChannelParameter(
            type=standard_artifacts.ModelBlessing, optional=True
        ),
        "pushed_exact": ChannelParameter(
            type=standard_artifacts.PushedModel, optional=True
        ),
    }
    OUTPUTS = {
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)
    }


class Executor(tfx_executor.Executor):
    """TFX's own marks and checks; numbers and atomicity are ours."""

    def Do(
        self,
        input_dict: Artifacts,
        output_dict: Artifacts,
        exec_properties: dict[str, Any],
    ) -> None:
        """Publishes, or marks as not pushed and touches nothing."""
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        base = exec_properties["base_directory"]
        if not self._may_push(input_dict):
            self._MarkNotPushed(pushed)
            return
        with tempfile.TemporaryDirectory() as scratch:
            model = artifact_utils.get_single_instance(input_dict["model"])
            bundle = bundle_folder(model, Path(scratch))
            version = (
                self._twin_version(input_dict["pushed_exact"])
                if input_dict.get("pushed_exact")
                else _exact_version(base, bundle)
            )
            target = os.path.join(base, str(version))
            if published_versions.has(base, version):
                _LOG.info("%s is there already.", target)
            else:
                target = published_versions.publish(bundle, base, version)
            archived = local_folder(target, Path(scratch) / "pushed")
            io_utils.copy_dir(str(archived), pushed.uri)
        self._MarkPushed(
            pushed, pushed_destination=target, pushed_version=str(version)
        )

    def _may_push(self, input_dict: Artifacts) -> bool:
        """Whether all blessings are given, and the exact bundle is out."""
        for name in _BLESSINGS[:2]:
            if not input_dict.get(name):
                raise ValueError(
                    f"BundlePusher got no {name}; wire the component that "
                    "gives it, a bundle is not pushed unchecked."
                )
        refused = [
            name
            for name in _BLESSINGS
            for blessing in input_dict.get(name) or []
            if blessing.get_int_custom_property("blessed") != 1
        ]
        refused += [
            "pushed_exact"
            for exact in input_dict.get("pushed_exact") or []
            if exact.get_int_custom_property("pushed") != 1
        ]
        if refused:
            _LOG.warning("Not pushed, refused by %s.", ", ".join(refused))
        return not refused

    def _twin_version(self, pushed_exact: list[Artifact]) -> int:
        """The number of the exact bundle, whose twin this is."""
        exact = artifact_utils.get_single_instance(pushed_exact)
        return int(exact.get_string_custom_property("pushed_version"))


def _exact_version(base: str, bundle: Path) -> int:
    """The latest version if it is this bundle, else the next free one.

    Free beside too, so that the twin can have the same number.
    """
    latest = published_versions.latest_version(base)
    if latest and published_versions.is_same_bundle(base, latest, bundle):
        return latest
    beside = published_versions.latest_version(base.rstrip("/") + _TWIN)
    return max(latest, beside) + 1


class BundlePusher(base_component.BaseComponent):
    """Publishes a bundle that all blessings allow, atomically.

    Args:
        model: an exact bundle, or its twin.
        model_blessing: of RetrievalEvaluator.
        infra_blessing: of ParityValidator.
        base_directory: folder of the versions, such as `export/recommender`;
            twins belong beside it in `export/recommender_scann`.
        ranking_blessing: of RankingEvaluator.
        pushed_exact: to push a twin: what the exact bundle's pusher wrote.
            The twin gets the same number, and is not pushed without it.
    """

    SPEC_CLASS = BundlePusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        model_blessing: BaseChannel,
        infra_blessing: BaseChannel,
        *,
        base_directory: str,
        ranking_blessing: BaseChannel | None = None,
        pushed_exact: BaseChannel | None = None,
    ) -> None:
        spec = BundlePusherSpec(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            ranking_blessing=ranking_blessing,
            pushed_exact=pushed_exact,
            base_directory=base_directory,
            code_fingerprint=source_fingerprint(__name__, *_CODE),
            pushed_model=Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
