"""The gRPC door itself: addresses, health, large answers."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from running import HOST, FakeModels

from serving.client import Client
from serving.gate import Gate
from serving.grpc_server import GrpcOptions, GrpcServer
from serving.service import Service

ANSWER = {"x": np.array([7], np.int32)}


@pytest.fixture
def service():
    return Service(FakeModels(lambda *_: ANSWER), Gate(2, 2))


@pytest.fixture
def start(service):
    servers = []

    def begin(**options):
        servers.append(GrpcServer(service, f"{HOST}:0", GrpcOptions(**options)))
        servers[-1].start()
        return servers[-1]

    yield begin
    for server in servers:
        server.stop(0)


def test_a_unix_socket_is_a_second_address(start, tmp_path):
    path = tmp_path / "server.sock"
    server = start(socket_path=str(path))
    for target in (f"{HOST}:{server.port}", f"unix:{path}"):
        with Client(target, retries=None) as client:
            assert client.predict("s", {})["x"].tolist() == [7]


def test_channel_arguments_reach_grpc(start):
    limit = ("grpc.max_receive_message_length", 1000)
    server = start(channel_arguments=(limit,))
    with grpc.insecure_channel(f"{HOST}:{server.port}") as channel:
        call = channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict"
        )
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\x0a" * 1001, timeout=20)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_health_follows_the_models(start, service):
    server = start()

    def state(name):
        request = health_pb2.HealthCheckRequest(service=name)
        with grpc.insecure_channel(f"{HOST}:{server.port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            return health_pb2.HealthCheckResponse.ServingStatus.Name(
                stub.Check(request, timeout=20).status
            )

    assert state("recommender") == state("") == "SERVING"
    service.models.names = ["shop"]
    service.models.changed()
    assert state("shop") == "SERVING"
    assert state("recommender") == "SERVICE_UNKNOWN"


def test_a_taken_port_is_named(start, service):
    taken = f"{HOST}:{start().port}"
    with pytest.raises(OSError, match=f"Cannot listen on {taken}.*--port"):
        GrpcServer(service, taken, GrpcOptions())
