"""Retries of the client, against a server that fails as it is told."""

from __future__ import annotations

import threading
import time
from concurrent import futures

import grpc
import numpy as np
import pytest

from serving import wire
from serving.client import Client, ClientError
from serving.transport import Retries, Tls, options

K = {"k": np.array([1], np.int32)}
SOON = Retries(attempts=4, first_wait_s=0.02, longest_wait_s=0.1)


class Failing:
    """Gives an error for each code of a list, then answers."""

    def __init__(self, codes):
        self.codes, self.calls, self._lock = list(codes), 0, threading.Lock()
        self.peers = set()
        method = grpc.unary_unary_rpc_method_handler(
            self._answer,
            request_deserializer=lambda content: content,
            response_serializer=lambda message: message.SerializeToString(),
        )
        handler = grpc.method_handlers_generic_handler(
            "tensorflow.serving.PredictionService", {"Predict": method}
        )
        self._server = grpc.server(
            futures.ThreadPoolExecutor(4), handlers=[handler]
        )
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.target = f"127.0.0.1:{port}"
        self._server.start()

    def _answer(self, _, context):
        with self._lock:
            self.calls += 1
            self.peers.add(context.peer())
            code = self.codes.pop(0) if self.codes else None
        if code:
            context.abort(grpc.StatusCode[code], "as told")
        return wire.message("PredictResponse")()

    def stop(self):
        self._server.stop(0)


@pytest.fixture
def fail():
    servers = []

    def start(*codes):
        servers.append(Failing(codes))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_a_server_that_had_no_room_is_asked_again(fail, code):
    server = fail(code, code)
    with Client(server.target, retries=SOON) as client:
        assert client.predict("s", K) == {}
    assert server.calls == 3


@pytest.mark.parametrize(
    "code", ["INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "DEADLINE_EXCEEDED"]
)
def test_other_errors_are_told_at_once(fail, code):
    server = fail(code)
    with Client(server.target, retries=SOON) as client:
        with pytest.raises(ClientError):
            client.predict("s", K)
    assert server.calls == 1


def test_attempts_have_an_end(fail):
    server = fail(*["UNAVAILABLE"] * 9)
    with Client(server.target, retries=SOON) as client:
        with pytest.raises(ClientError, match="as told"):
            client.predict("s", K)
    assert server.calls == 4


def test_without_retries_there_is_one_attempt(fail):
    server = fail("UNAVAILABLE")
    with Client(server.target, retries=None) as client:
        with pytest.raises(ClientError):
            client.predict("s", K)
    assert server.calls == 1


def test_the_timeout_is_of_all_attempts(fail):
    server = fail(*["UNAVAILABLE"] * 9)
    slow = Retries(attempts=5, first_wait_s=5, longest_wait_s=5)
    started = time.monotonic()
    with Client(server.target, retries=slow, timeout_s=0.3) as client:
        with pytest.raises(ClientError):
            client.predict("s", K)
    assert time.monotonic() - started < 3
    assert server.calls <= 2


def test_one_connection_serves_many_calls(fail):
    server = fail()
    with Client(server.target) as client:
        for _ in range(5):
            client.predict("s", K)
    assert server.calls == 5 and len(server.peers) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"attempts": 1},
        {"attempts": 6},
        {"first_wait_s": 0},
        {"first_wait_s": 3, "longest_wait_s": 2},
    ],
)
def test_retries_that_cannot_be_are_refused(values):
    with pytest.raises(ValueError, match="got"):
        Retries(**values)


def test_a_client_s_certificate_needs_its_key():
    with pytest.raises(ValueError, match="both or none"):
        Tls(certificate=b"x")


def test_large_messages_are_let_through():
    for retries in (None, Retries()):
        found = dict(options(retries))
        assert found["grpc.max_receive_message_length"] == 64 * 2**20
