"""What a request gets while the server drains or fails, in this process."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from running import FakeModels, Running

from serving import grpc_server, wire
from serving.client import Client, ClientError
from serving.gate import Gate
from serving.servicers import OpenCalls

K = {"k": np.array([1], np.int32)}


@pytest.fixture
def serve():
    servers = []

    def start(predict, running=2, waiting=0):
        server = Running(FakeModels(predict), gate=Gate(running, waiting))
        servers.append(server)
        return server, Client(server.target, timeout_s=20)

    yield start
    for server in servers:
        server.stop()


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
        Client(server.target, timeout_s=5).predict("s", K)
    finish.set()
    caller.join(20)
    stopping.join(20)
    assert answers[0]["x"].tolist() == [7]


def test_a_request_is_waited_for_however_often_the_server_looks(
    serve, monkeypatch
):
    running, looked = threading.Event(), threading.Event()
    found, length = [], OpenCalls.__len__

    def look(calls):
        found.append(length(calls))
        if len(found) == 3:
            looked.set()
        return found[-1]

    def slow(*_):
        running.set()
        looked.wait(20)
        return {"x": np.array([7], np.int32)}

    monkeypatch.setattr(OpenCalls, "__len__", look)
    monkeypatch.setattr(grpc_server, "_LOOK_S", 0.01)
    server, client = serve(slow)
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(client.predict, "s", K)
        assert running.wait(20)
        stopped = pool.submit(server.stop, 600)
        assert answer.result(20)["x"].tolist() == [7]
        stopped.result(20)
    assert found[:3] == [1, 1, 1]


def test_a_watcher_of_health_does_not_hold_the_draining_up(serve):
    server, client = serve(lambda *_: {"x": np.array([7], np.int32)})
    client.predict("s", K)
    with grpc.insecure_channel(server.target) as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest()
        )
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        stopping = threading.Thread(target=server.stop, args=(600,))
        stopping.start()
        stopping.join(60)
        assert not stopping.is_alive()
        said = next(watched).status
        assert said == health_pb2.HealthCheckResponse.NOT_SERVING


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
    client = Client(server.target, timeout_s=0.3)
    with pytest.raises(ClientError, match="did not answer within 0.3 s"):
        client.predict("s", K)
    finish.set()


def test_more_requests_than_run_and_wait_are_refused(serve):
    started, finish = threading.Semaphore(0), threading.Event()

    def slow(*_):
        started.release()
        finish.wait(20)
        return {"x": np.array([7], np.int32)}

    server, client = serve(slow, running=1, waiting=1)
    callers = [
        threading.Thread(target=client.predict, args=("s", K)) for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    started.acquire()
    wait_until(lambda: server.service.gate.waiting == 1)
    with pytest.raises(ClientError, match="RESOURCE_EXHAUSTED.*1 requests run"):
        Client(server.target, timeout_s=20, retries=None).predict("s", K)
    status, answer = server.predict({"instances": [[1]]})
    assert status == 429 and "try again" in answer["error"]
    # Probes are answered however busy the server is.
    with grpc.insecure_channel(server.target) as channel:
        request = health_pb2.HealthCheckRequest()
        health = health_pb2_grpc.HealthStub(channel).Check(request, timeout=20)
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    finish.set()
    for caller in callers:
        caller.join(20)


def test_a_request_whose_deadline_passed_in_the_queue_is_not_computed(serve):
    computed, running, finish = [], threading.Event(), threading.Event()

    def slow(signature, *_):
        computed.append(signature)
        running.set()
        finish.wait(20)
        return {"x": np.array([7], np.int32)}

    server, client = serve(slow, running=1, waiting=5)
    first = threading.Thread(target=client.predict, args=("first", K))
    first.start()
    running.wait(20)
    with pytest.raises(ClientError, match="did not answer within 0.2 s"):
        Client(server.target, timeout_s=0.2).predict("late", K)
    wait_until(lambda: server.service.gate.waiting == 0)
    finish.set()
    first.join(20)
    client.predict("after", K)
    assert computed == ["first", "after"]


def test_a_request_that_its_caller_cancels_is_not_computed(serve):
    computed, running, finish = [], threading.Event(), threading.Event()

    def slow(signature, *_):
        computed.append(signature)
        running.set()
        finish.wait(20)
        return {"x": np.array([7], np.int32)}

    server, client = serve(slow, running=1, waiting=5)
    first = threading.Thread(target=client.predict, args=("first", K))
    first.start()
    running.wait(20)
    request = wire.message("PredictRequest")()
    request.model_spec.name = "recommender"
    with grpc.insecure_channel(server.target) as channel:
        call = channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=lambda message: message.SerializeToString(),
        ).future(request)
        wait_until(lambda: server.service.gate.waiting == 1)
        call.cancel()
        wait_until(lambda: server.service.gate.waiting == 0)
    finish.set()
    first.join(20)
    client.predict("after", K)
    assert computed == ["first", "after"]


def wait_until(is_true, seconds=20):
    end = time.monotonic() + seconds
    while not is_true() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_true()
