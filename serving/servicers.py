"""TensorFlow Serving's gRPC services, thin doors to `Service`."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
)

from serving import descriptions, model_config, wire
from serving.checks import RequestError
from serving.gate import Call
from serving.models import ModelSpec
from serving.service import Door, Question, Service
from serving.signatures import DEFAULT_SIGNATURE
from serving.status import OK

PREDICTION_SERVICE: str = prediction_service_pb2.DESCRIPTOR.services_by_name[
    "PredictionService"
].full_name
MODEL_SERVICE: str = model_service_pb2.DESCRIPTOR.services_by_name[
    "ModelService"
].full_name
# A tensor may repeat its last value, so a small message can ask for any size.
_MAX_ELEMENTS = 2**22

Work = Callable[[Service, Any, Call], Any]


class OpenCalls:
    """Counts calls, each from its first moment until its answer has gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, context: grpc.ServicerContext) -> None:
        """Counts one until gRPC says that it has ended."""
        self._change(1)
        if not context.add_callback(lambda: self._change(-1)):
            self._change(-1)  # it has ended already

    def _change(self, by: int) -> None:
        with self._lock:
            self._count += by


def handlers(
    service: Service, calls: OpenCalls
) -> tuple[grpc.GenericRpcHandler, ...]:
    """All methods that this server has; others are UNIMPLEMENTED.

    Args:
        service: that answers.
        calls: counts those that it answers.
    """

    def method(name: str, request_type: Any, work: Work) -> Any:
        return _method(service, calls, Door(name, "GRPC"), request_type, work)

    prediction = {
        "Predict": method("Predict", predict_pb2.PredictRequest, _predict),
        "GetModelMetadata": method(
            "GetModelMetadata",
            get_model_metadata_pb2.GetModelMetadataRequest,
            _metadata,
        ),
    }
    model = {
        "GetModelStatus": method(
            "GetModelStatus",
            get_model_status_pb2.GetModelStatusRequest,
            _status,
        ),
        "HandleReloadConfigRequest": method(
            "HandleReloadConfigRequest",
            model_management_pb2.ReloadConfigRequest,
            _reload,
        ),
    }
    return (
        grpc.method_handlers_generic_handler(PREDICTION_SERVICE, prediction),
        grpc.method_handlers_generic_handler(MODEL_SERVICE, model),
    )


def _method(
    service: Service,
    calls: OpenCalls,
    door: Door,
    request_type: Any,
    work: Work,
) -> grpc.RpcMethodHandler:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        calls.add(context)
        call = Call(context.time_remaining())
        context.add_callback(call.cancel)
        if isinstance(request, DecodeError):
            outcome = service.answer(door, "", lambda: _refuse(request_type))
        else:
            outcome = service.answer(
                door,
                _name(request),
                lambda: work(service, request, call),
                # The others cost nothing and need no turn.
                call if work is _predict else None,
            )
        if outcome.code != OK:
            context.abort(grpc.StatusCode[outcome.code], outcome.message)
        return outcome.value

    def parse(content: bytes) -> Any:
        try:
            return request_type.FromString(content)
        except DecodeError as error:  # answered like any other bad request
            return error

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=parse,
        # An answer of Predict is written as bytes, the others as messages.
        response_serializer=lambda response: (
            response
            if isinstance(response, bytes)
            else response.SerializeToString()
        ),
    )


def _refuse(request_type: Any) -> None:
    raise RequestError(
        f"The message is no {request_type.DESCRIPTOR.full_name}."
    )


def _name(request: Any) -> str:
    known = "model_spec" in request.DESCRIPTOR.fields_by_name
    return request.model_spec.name if known else ""


def _predict(service: Service, request: Any, call: Call) -> bytes:
    spec = _spec(request)
    recommender = service.models.find(spec)
    signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
    recommender.input_specs(signature)  # known, before anything is parsed
    inputs = _parsed(request.inputs)
    outputs = service.predict(
        Question(
            spec.name,
            recommender,
            signature,
            inputs,
            outputs=tuple(request.output_filter),
            call=call,
        )
    )
    answered = descriptions.model_spec(spec.name, recommender, signature)
    return wire.response_bytes(answered.SerializeToString(), outputs)


def _metadata(service: Service, request: Any, _: Call) -> Any:
    return descriptions.metadata(
        service.models, _spec(request), list(request.metadata_field)
    )


def _status(service: Service, request: Any, _: Call) -> Any:
    return descriptions.statuses(service.models, _spec(request))


def _reload(service: Service, request: Any, _: Call) -> Any:
    service.models.reload(model_config.from_proto(request.config))
    response = model_management_pb2.ReloadConfigResponse()
    response.status.error_code = tf.errors.OK
    return response


def _spec(request: Any) -> ModelSpec:
    if not request.HasField("model_spec"):
        raise RequestError("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    return ModelSpec(spec.name, version, spec.version_label)


def _parsed(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays by name.

    Raises:
        RequestError: if they are too large, or malformed.
    """
    total = 0
    arrays = {}
    for name, tensor in tensors.items():
        shape = wire.shape_of(tensor)
        total += math.prod(shape)
        if total > _MAX_ELEMENTS or min(shape, default=0) < 0:
            raise RequestError(
                f"{name} has shape {shape}; sizes are 0 or more, and all "
                f"inputs together have at most {_MAX_ELEMENTS} elements."
            )
        arrays[name] = _array(name, tensor, shape)
    return arrays


def _array(name: str, tensor: Any, shape: Sequence[int]) -> Any:
    try:
        if wire.is_known(tensor):  # in a third of the time
            return wire.from_tensor(tensor, shape)
        return tf.make_ndarray(tensor)
    # KeyError: of types that no array has, such as resources.
    except (KeyError, TypeError, ValueError) as error:
        raise RequestError(
            f"{name} is no well-formed tensor: its values do not fill the "
            f"shape in its type ({type(error).__name__})."
        ) from error
