"""h2load as a client of gRPC, where it is installed."""

from __future__ import annotations

from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc

from benchmarks.serving import native_client

pytestmark = pytest.mark.skipif(
    not native_client.is_here(), reason="no h2load here"
)
CHECK = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"  # field 1 is 1


@pytest.fixture(scope="module")
def target():
    server = grpc.server(futures.ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(
        health.HealthServicer(), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def test_each_call_is_timed(target):
    seconds = native_client.seconds_of_calls(target, CHECK, b"", SERVING, 7)
    assert len(seconds) == 7
    assert all(0 < each < 5 for each in seconds)


def test_an_error_of_grpc_is_no_answer(target):
    unknown_service = b"\x0a\x01x"  # field 1 is "x"
    with pytest.raises(RuntimeError, match="answered by 21 bytes"):
        native_client.seconds_of_calls(
            target, CHECK, unknown_service, SERVING, 3
        )
