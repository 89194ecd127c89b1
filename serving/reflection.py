"""gRPC server reflection, for `grpcurl` and its like.

The newest grpcio-reflection for this protobuf knows v1alpha alone, and lets
every stream hold a thread without bound. So its four messages are declared
here, with the field numbers of the public protos, and answered from the
descriptors that protobuf has loaded. v1 and v1alpha differ in name alone.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import grpc
from google.protobuf import descriptor_pool

from serving import wire

_PACKAGE = "interest_towers.reflection"
_NAMES = ("grpc.reflection.v1", "grpc.reflection.v1alpha")
_METHOD = "ServerReflectionInfo"
# A stream holds a thread for as long as its caller likes.
_MAX_STREAMS = 4
_MESSAGES: wire.Messages = {
    "Request": (
        ("host", 1, "string"),
        ("file_by_filename", 3, "string"),
        ("file_containing_symbol", 4, "string"),
        ("list_services", 7, "string"),
    ),
    "Files": (("file_descriptor_proto", 1, "*bytes"),),
    "Service": (("name", 1, "string"),),
    "Services": (("service", 1, "*Service"),),
    "Error": (("error_code", 1, "int32"), ("error_message", 2, "string")),
    "Response": (
        ("valid_host", 1, "string"),
        ("original_request", 2, "Request"),
        ("file_descriptor_response", 4, "Files"),
        ("list_services_response", 6, "Services"),
        ("error_response", 7, "Error"),
    ),
}


def handlers(services: Sequence[str]) -> tuple[grpc.GenericRpcHandler, ...]:
    """Reflection of a server.

    Args:
        services: full names of those that it has.
    """
    streams = threading.BoundedSemaphore(_MAX_STREAMS)

    def answer(
        requests: Iterable[Any], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        if not streams.acquire(blocking=False):
            context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{_MAX_STREAMS} reflection streams are open already.",
            )
        try:
            for request in requests:
                yield _response(request, services)
        finally:
            streams.release()

    method = grpc.stream_stream_rpc_method_handler(
        answer,
        request_deserializer=message("Request").FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )
    return tuple(
        grpc.method_handlers_generic_handler(
            f"{name}.ServerReflection", {_METHOD: method}
        )
        for name in _NAMES
    )


@functools.cache
def message(name: str) -> Any:
    """The class of a message: "Request", "Response", ..."""
    return wire.message_class(_pool(), f"{_PACKAGE}.{name}")


def _response(request: Any, services: Sequence[str]) -> Any:
    response = message("Response")(
        valid_host=request.host, original_request=request
    )
    known = descriptor_pool.Default()
    if request.file_by_filename:
        _describe(response, known.FindFileByName, request.file_by_filename)
    elif request.file_containing_symbol:
        _describe(
            response,
            known.FindFileContainingSymbol,
            request.file_containing_symbol,
        )
    else:
        for service in services:
            response.list_services_response.service.add(name=service)
    return response


def _describe(response: Any, find: Callable[[str], Any], name: str) -> None:
    try:
        file = find(name)
    except KeyError:
        response.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
        response.error_response.error_message = f"{name} is not known here."
        return
    files = response.file_descriptor_response.file_descriptor_proto
    files.extend(
        each.serialized_pb for each in _with_dependencies(file, {}).values()
    )


def _with_dependencies(file: Any, found: dict[str, Any]) -> dict[str, Any]:
    if file.name not in found:
        found[file.name] = file
        for dependency in file.dependencies:
            _with_dependencies(dependency, found)
    return found


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    return wire.pool_of(_PACKAGE, _MESSAGES)
