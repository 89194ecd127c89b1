"""Reflection, as grpcurl asks for it."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from serving import reflection


@pytest.fixture(params=["v1", "v1alpha"])
def ask(request, running):
    with grpc.insecure_channel(running.target) as channel:
        call = channel.stream_stream(
            f"/grpc.reflection.{request.param}.ServerReflection/"
            "ServerReflectionInfo",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reflection.message("Response").FromString,
        )
        yield lambda **asked: next(
            call(iter([reflection.message("Request")(**asked)]), timeout=20)
        )


def test_services_are_listed(ask):
    response = ask(list_services="*")
    assert {s.name for s in response.list_services_response.service} == {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
    }
    assert response.original_request.list_services == "*"


def test_a_symbol_comes_with_all_that_it_needs(ask):
    name = "tensorflow.serving.PredictionService"
    response = ask(file_containing_symbol=name)
    files = response.file_descriptor_response.file_descriptor_proto
    pool = descriptor_pool.DescriptorPool()
    parsed = [descriptor_pb2.FileDescriptorProto.FromString(f) for f in files]
    by_name = {file.name: file for file in parsed}

    def add(file):
        for dependency in file.dependency:
            if dependency in by_name:
                add(by_name.pop(dependency))
        pool.Add(file)

    add(by_name.pop(parsed[0].name))  # fails if a dependency is missing
    predict = pool.FindServiceByName(name).methods_by_name["Predict"]
    assert predict.input_type.fields_by_name["inputs"]


def test_a_file_is_found_by_its_name(ask):
    response = ask(file_by_filename="tensorflow_serving/apis/predict.proto")
    first = response.file_descriptor_response.file_descriptor_proto[0]
    found = descriptor_pb2.FileDescriptorProto.FromString(first)
    assert found.name == "tensorflow_serving/apis/predict.proto"


def test_what_is_not_known_is_not_found(ask):
    response = ask(file_containing_symbol="no.such.Thing")
    assert response.error_response.error_code == 5  # NOT_FOUND


def test_open_streams_have_a_bound(running):
    """Each holds a thread, of which health and status need some."""
    with grpc.insecure_channel(running.target) as channel:
        call = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reflection.message("Response").FromString,
        )
        open_ends = [Endless() for _ in range(5)]
        streams = [call(iter(end), timeout=20) for end in open_ends]
        codes = []
        for stream in streams:
            try:
                next(stream)
                codes.append("OK")
            except grpc.RpcError as error:
                codes.append(error.code().name)
        for end in open_ends:
            end.stop()
    assert sorted(codes) == ["OK"] * 4 + ["RESOURCE_EXHAUSTED"]


class Endless:
    """One request, and then none until it is stopped."""

    def __init__(self):
        import threading

        self._stopped = threading.Event()

    def stop(self):
        self._stopped.set()

    def __iter__(self):
        yield reflection.message("Request")(list_services="*")
        self._stopped.wait(20)
