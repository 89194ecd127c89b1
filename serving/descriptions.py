"""What a server tells of its models, in TensorFlow Serving's messages.

gRPC sends them as they are, REST as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from serving.checks import RequestError
from serving.model_host import VersionStatus
from serving.models import Models, ModelSpec
from serving.recommender import Recommender

SIGNATURE_DEF = "signature_def"


def model_spec(name: str, recommender: Recommender, signature: str = "") -> Any:
    """The ModelSpec of an answer: what has answered."""
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    spec.version.value = recommender.version
    return spec


def metadata(
    models: Models, spec: ModelSpec, fields: Sequence[str]
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Names, types and shapes of all signatures of a version.

    Raises:
        RequestError: if other fields than `signature_def` are wanted.
        UnknownModelError: if the version is not in service.
    """
    if not fields:
        raise RequestError(
            "GetModelMetadataRequest must specify at least one metadata_field"
        )
    for field in fields:
        if field != SIGNATURE_DEF:
            raise RequestError(f"Metadata field {field} is not supported")
    recommender = models.find(spec)
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in recommender.signature_defs.items():
        found.signature_def[name].CopyFrom(signature)
    response = get_model_metadata_pb2.GetModelMetadataResponse(
        model_spec=model_spec(spec.name, recommender)
    )
    response.metadata[SIGNATURE_DEF].Pack(found)
    return response


def metadata_json(models: Models, spec: ModelSpec) -> dict[str, Any]:
    """The same as REST shows it."""
    response = metadata(models, spec, [SIGNATURE_DEF])
    found = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[SIGNATURE_DEF].Unpack(found)
    return {
        "model_spec": _as_json(response.model_spec),
        "metadata": {SIGNATURE_DEF: _as_json(found)},
    }


def statuses(
    models: Models, spec: ModelSpec
) -> get_model_status_pb2.GetModelStatusResponse:
    """States of versions, and why one was refused.

    Raises:
        UnknownModelError: if there is nothing to tell.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in models.statuses(spec):
        response.model_version_status.append(_status(status))
    return response


def statuses_json(models: Models, spec: ModelSpec) -> dict[str, Any]:
    """The same as REST shows it."""
    return _as_json(statuses(models, spec))


def _status(status: VersionStatus) -> Any:
    kind = get_model_status_pb2.ModelVersionStatus
    message = kind(version=status.version, state=kind.State.Value(status.state))
    message.status.error_code = tf.errors.OK
    if status.refused_because:
        message.status.error_code = tf.errors.FAILED_PRECONDITION
        message.status.error_message = status.refused_because
    return message


def _as_json(message: Any) -> dict[str, Any]:
    converted: dict[str, Any] = json_format.MessageToDict(
        message,
        including_default_value_fields=True,
        preserving_proto_field_name=True,
    )
    return converted
