"""TensorFlow Serving's gRPC services, thin doors to `Recommender`.

Status codes are TensorFlow Serving's: NOT_FOUND for a model or version that is
not in service, FAILED_PRECONDITION for a signature that the model lacks,
INVALID_ARGUMENT for inputs and outputs that do not fit. What a request holds
goes into no log.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any, NoReturn

import grpc
import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving import wire
from serving.checks import RequestError
from serving.model_host import ModelHost, UnknownModelError
from serving.recommender import Recommender, UnknownSignatureError
from serving.signatures import DEFAULT_SIGNATURE
from serving.versions import SAVED_MODEL

_LOG = logging.getLogger(__name__)
_SIGNATURE_DEF = "signature_def"
# A tensor may repeat its last value, so a small message can ask for any size.
_MAX_ELEMENTS = 2**24
_CODES: dict[type[Exception], grpc.StatusCode] = {
    UnknownModelError: grpc.StatusCode.NOT_FOUND,
    UnknownSignatureError: grpc.StatusCode.FAILED_PRECONDITION,
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
}


def answered(compute: Callable[[], Any], context: grpc.ServicerContext) -> Any:
    """Runs a handler and turns its errors into status codes."""
    try:
        return compute()
    except tuple(_CODES) as error:
        context.abort(_CODES[type(error)], str(error))
    # An unforeseen fault must reach neither the next request nor, with what
    # it may say of this one, a log or another's screen.
    except Exception as error:
        _LOG.error("A request failed with %s.", type(error).__name__)
        context.abort(
            grpc.StatusCode.INTERNAL,
            f"The server failed with {type(error).__name__}.",
        )


class PredictionServicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata."""

    def __init__(self, host: ModelHost) -> None:
        self._host = host

    def Predict(
        self, request: Any, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Answers one batch."""
        return answered(lambda: self._predict(request), context)

    def GetModelMetadata(
        self, request: Any, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Names, types and shapes of all signatures."""
        return answered(lambda: self._metadata(request), context)

    def _predict(self, request: Any) -> predict_pb2.PredictResponse:
        recommender = _find(self._host, request.model_spec)
        inputs = {
            name: _parse(name, tensor)
            for name, tensor in request.inputs.items()
        }
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        outputs = recommender.predict(signature, inputs, request.output_filter)
        response = predict_pb2.PredictResponse()
        _fill_spec(response.model_spec, self._host.name, recommender)
        response.model_spec.signature_name = signature
        for name, value in outputs.items():
            content = wire.to_tensor(value).SerializeToString()
            response.outputs[name].ParseFromString(content)
        return response

    def _metadata(
        self, request: Any
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if set(request.metadata_field) != {_SIGNATURE_DEF}:
            raise RequestError(
                f"metadata_field must be [{_SIGNATURE_DEF!r}], got "
                f"{list(request.metadata_field)}."
            )
        recommender = _find(self._host, request.model_spec)
        saved = saved_model_pb2.SavedModel()
        path = recommender.version_dir / SAVED_MODEL
        saved.ParseFromString(path.read_bytes())
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in saved.meta_graphs[0].signature_def.items():
            found.signature_def[name].CopyFrom(signature)
        packed = any_pb2.Any()
        packed.Pack(found)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill_spec(response.model_spec, self._host.name, recommender)
        response.metadata[_SIGNATURE_DEF].CopyFrom(packed)
        return response


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus."""

    def __init__(self, host: ModelHost) -> None:
        self._host = host

    def GetModelStatus(
        self, request: Any, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Versions, their states, and why one was refused."""
        return answered(lambda: self._status(request), context)

    def _status(
        self, request: Any
    ) -> get_model_status_pb2.GetModelStatusResponse:
        wanted = _version(request.model_spec)
        response = get_model_status_pb2.GetModelStatusResponse()
        for status in self._host.statuses(request.model_spec.name):
            if wanted in (None, status.version):
                response.model_version_status.append(_as_message(status))
        if not response.model_version_status:
            raise UnknownModelError(f"Version {wanted} was never seen.")
        return response


def _as_message(status: Any) -> Any:
    kind = get_model_status_pb2.ModelVersionStatus
    message = kind(version=status.version, state=kind.State.Value(status.state))
    if status.refused_because:
        message.status.error_code = tf.errors.FAILED_PRECONDITION
        message.status.error_message = status.refused_because
    return message


def _find(host: ModelHost, spec: Any) -> Recommender:
    return host.find(spec.name, _version(spec))


def _version(spec: Any) -> int | None:
    if spec.version_label:
        _refuse_label(spec.version_label)
    return spec.version.value if spec.HasField("version") else None


def _refuse_label(label: str) -> NoReturn:
    raise RequestError(
        f"Unknown version label {label!r}; ask for a version by number, or "
        "for the latest by naming none."
    )


def _fill_spec(spec: Any, name: str, recommender: Recommender) -> None:
    spec.name = name
    spec.version.value = recommender.version


def _parse(name: str, tensor: Any) -> Any:
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if any(size < 0 for size in sizes) or math.prod(sizes) > _MAX_ELEMENTS:
        raise RequestError(
            f"{name} has shape {sizes}; sizes are 0 or more, and their "
            f"product at most {_MAX_ELEMENTS}."
        )
    try:
        return tf.make_ndarray(tensor)
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"{name} is no well-formed tensor: its values do not fill the "
            f"shape {sizes} in its type ({type(error).__name__})."
        ) from error
