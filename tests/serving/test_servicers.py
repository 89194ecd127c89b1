"""What a request gets while the server drains or fails, in this process."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import grpc
import numpy as np
import pytest

from serving.client import Client, ClientError
from serving.server import Server

K = {"k": np.array([1], np.int32)}


class FakeHost:
    """One model whose `predict` is given."""

    name = "recommender"

    def __init__(self, predict):
        self._model = SimpleNamespace(version=1, predict=predict)

    def find(self, name, version):
        return self._model

    def stop(self):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(predict):
        server = Server(FakeHost(predict), "127.0.0.1:0", threads=2)
        server.start()
        servers.append(server)
        return server, Client(f"127.0.0.1:{server.port}", timeout_s=20)

    yield start
    for server in servers:
        server.stop(0)


def test_a_request_that_runs_is_answered_while_the_server_drains(serve):
    running, finish = threading.Event(), threading.Event()

    def slow(*_):
        running.set()
        finish.wait(20)
        return {"x": np.array([7], np.int32)}

    server, client = serve(slow)
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(client.predict("s", K))
    )
    caller.start()
    running.wait(20)
    stopping = threading.Thread(target=server.stop, args=(20,))
    stopping.start()
    with pytest.raises(ClientError):  # no new request is taken
        Client(f"127.0.0.1:{server.port}", timeout_s=5).predict("s", K)
    finish.set()
    caller.join(20)
    stopping.join(20)
    assert answers[0]["x"].tolist() == [7]


def test_a_fault_of_the_server_tells_no_details(serve, caplog):
    def fail(*_):
        raise KeyError("i-am-an-item-id")

    _, client = serve(fail)
    with pytest.raises(ClientError, match="INTERNAL.*KeyError") as caught:
        client.predict("s", K)
    assert "i-am-an-item-id" not in str(caught.value) + caplog.text


def test_requests_run_at_the_same_time(serve):
    both = threading.Barrier(2, timeout=20)

    def meet(*_):
        both.wait()
        return {"x": np.array([1], np.int32)}

    _, client = serve(meet)
    callers = [
        threading.Thread(target=client.predict, args=("s", K)) for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    assert not both.broken


def test_an_answer_above_four_megabytes_arrives(serve):
    large = np.zeros(2 * 2**20, np.float32)  # gRPC's default limit is 4 MB
    _, client = serve(lambda *_: {"x": large})
    assert client.predict("s", K)["x"].shape == large.shape


def test_a_server_that_does_not_answer_in_time_is_named(serve):
    finish = threading.Event()

    def hang(*_):
        finish.wait(20)
        return {}

    server, _ = serve(hang)
    client = Client(f"127.0.0.1:{server.port}", timeout_s=0.3)
    with pytest.raises(ClientError, match="did not answer within 0.3 s"):
        client.predict("s", K)
    finish.set()


def test_only_the_status_of_our_errors_is_theirs():
    from serving.checks import RequestError
    from serving.servicers import answered

    class Context:
        def abort(self, code, details):
            self.code = code
            raise RuntimeError

    def refuse():
        raise RequestError("k must be 0 or more")

    context = Context()
    with pytest.raises(RuntimeError):
        answered(refuse, context)
    assert context.code is grpc.StatusCode.INVALID_ARGUMENT
