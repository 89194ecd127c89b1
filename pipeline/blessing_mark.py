"""Writes a verdict as TFX's Evaluator writes its own."""

from __future__ import annotations

import os
from typing import Any

from tfx.components.evaluator import constants
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from pipeline.blessing import Verdict


def bless(
    blessing: Artifact,
    verdict: Verdict,
    inputs: dict[str, Artifact],
    exec_properties: dict[str, Any],
) -> None:
    """Marks the artifact as TFX's Evaluator does, so that all of TFX reads it.

    Args:
        blessing: to be marked.
        verdict: what it says.
        inputs: `model`, and `baseline_model` where there is one.
        exec_properties: for the id of the component.
    """
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, inputs["model"].uri
    )
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, inputs["model"].id
    )
    if "baseline_model" in inputs:
        baseline = inputs["baseline_model"]
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id
        )
    if "current_component_id" in exec_properties:
        blessing.set_string_custom_property(
            "component_id", exec_properties["current_component_id"]
        )
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSING_MESSAGE_KEY,
        "; ".join(verdict.reasons),
    )
    name, value = (
        (constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE)
        if verdict.blessed
        else (constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE)
    )
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY, value
    )
