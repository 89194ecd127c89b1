"""TensorFlow Serving's REST API, asked by plain HTTP."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from running import HOST, TIMEOUT, FakeModels, Running, similar

from serving import signatures
from serving.client import Client
from serving.gate import Gate
from serving.rest_handler import RestOptions

MODEL = "/v1/models/recommender"


def test_a_column_request_gets_what_grpc_gets(running):
    status, answer = running.predict(similar(["i3", "i5"], k=4))
    assert status == 200
    with Client(running.target) as client:
        for row, item in enumerate(["i3", "i5"]):
            ours = client.similar(item, k=4)
            theirs = [answer["outputs"][n][row] for n in ("item_ids", "titles")]
            assert theirs == [
                [a.item_id for a in ours],
                [a.title for a in ours],
            ]
            scores = np.array(answer["outputs"]["scores"][row], np.float32)
            # A batch of two may be summed in another order.
            np.testing.assert_allclose(scores, [a.score for a in ours], 1e-6)


def test_a_row_request_gets_the_oracle_s_answer(running, oracle):
    fields = signatures.SIGNATURES["recommend"].inputs
    blank = signatures.blank(fields, {"b": 1, "L": 2, "X": 0})
    rows = []
    for history in (["i1", "i2"], ["i7", "i8"]):
        row = {name: value.tolist()[0] for name, value in blank.items()}
        row |= {"history_item_ids": history, "k": 3}
        del row["history_texts"]
        rows.append(row)
    status, answer = running.predict({"instances": rows})
    assert status == 200
    for row, found in zip(rows, answer["predictions"], strict=True):
        wanted = oracle.recommend(row["history_item_ids"], 3)
        assert found["item_ids"] == [item for item, _ in wanted]
        assert found["source"] == ["exact"] * 3


def test_base64_is_the_same_as_text(running):
    body = similar()
    body["inputs"]["item_ids"] = [{"b64": "aTM="}]  # i3
    assert running.predict(body) == running.predict(similar())


def test_minus_infinity_is_written_as_tensorflow_serving_does(running):
    fields = signatures.known(signatures.SIGNATURES["rank"].inputs, False)
    inputs = signatures.blank(fields, {"b": 1, "L": 0, "C": 1})
    body = {
        "signature_name": "rank",
        "inputs": {name: value.tolist() for name, value in inputs.items()},
    }
    # An unknown candidate; an answer of one output stands alone.
    assert running.predict(body) == (200, {"outputs": [[-np.inf]]})


def test_the_status_is_available(running):
    wanted = {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert running.get(MODEL) == (200, wanted)
    assert running.get(f"{MODEL}/versions/1") == (200, wanted)


def test_the_metadata_has_types_and_shapes(running):
    status, answer = running.get(f"{MODEL}/metadata")
    assert status == 200
    assert answer["model_spec"] == {
        "name": "recommender", "signature_name": "", "version": "1"
    }
    found = answer["metadata"]["signature_def"]["signature_def"]
    item_ids = found["similar_items"]["inputs"]["item_ids"]
    assert item_ids["dtype"] == "DT_STRING"
    assert [d["size"] for d in item_ids["tensor_shape"]["dim"]] == ["-1"]


@pytest.mark.parametrize(
    "path, status, message",
    [
        ("/v1/models/x", 404, "Could not find any versions of model x"),
        (
            f"{MODEL}/versions/7",
            404,
            "Could not find version 7 of model recommender",
        ),
        (
            "/v1/models/x/metadata",
            404,
            "Servable not found for request: Latest(x)",
        ),
        (
            f"{MODEL}/labels/new/metadata",
            400,
            "Unrecognized servable version label: new",
        ),
        ("/v1/models", 400, "Malformed request: GET /v1/models"),
        ("/", 400, "Malformed request: GET /"),
    ],
)
def test_what_cannot_be_told_is_an_error(running, path, status, message):
    assert running.get(path) == (status, {"error": message})


@pytest.mark.parametrize(
    "path, body, status, message",
    [
        (
            "/v1/models/x:predict",
            similar(),
            404,
            "Servable not found for request: Latest(x)",
        ),
        (
            f"{MODEL}/versions/3:predict",
            similar(),
            404,
            "Servable not found for request: Specific(recommender, 3)",
        ),
        (
            f"{MODEL}/labels/canary:predict",
            similar(),
            400,
            "Unrecognized servable version label: canary",
        ),
        (
            f"{MODEL}:predict",
            {"signature_name": "rnak", "instances": [1]},
            400,
            'Serving signature name: "rnak" not found in signature def',
        ),
        (
            f"{MODEL}:predict",
            {"signature_name": "similar_items", "inputs": {"k": [1]}},
            400,
            "Missing named input: item_ids in 'inputs' object.",
        ),
        (
            f"{MODEL}:predict",
            b"",
            400,
            "JSON Parse error: The document is empty",
        ),
        (MODEL, b"{}", 400, f"Malformed request: POST {MODEL}"),
    ],
)
def test_a_request_that_does_not_fit_is_an_error(
    running, path, body, status, message
):
    assert running.post(path, body) == (status, {"error": message})


def test_a_connection_is_kept_for_many_requests(running):
    host, port = running.rest_target.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
    sockets = set()
    for _ in range(3):
        connection.request("GET", MODEL)
        assert connection.getresponse().read()
        sockets.add(connection.sock.getsockname())
    connection.close()
    assert len(sockets) == 1


def test_metrics_tell_of_requests_and_not_of_names_that_are_not_served(running):
    running.predict(similar())
    running.predict(similar(), model="a-secret-name")
    status, page = running.get("/monitoring/prometheus/metrics")
    assert status == 200
    samples = dict(
        line.rsplit(" ", 1) for line in page.splitlines() if line[0] != "#"
    )
    count = ":tensorflow:serving:request_count"
    assert int(samples[f'{count}{{model_name="recommender",status="OK"}}']) >= 1
    assert int(samples[f'{count}{{model_name="",status="NOT_FOUND"}}']) >= 1
    assert "secret" not in page
    latency = (
        ":tensorflow:serving:request_latency_count"
        '{model_name="recommender",API="Predict",entrypoint="REST"}'
    )
    assert int(samples[latency]) >= 1


SPECS = {"x": SimpleNamespace(dtype=np.dtype(np.float32))}
ONE = {"x": np.ones(1, np.float32)}


@pytest.fixture
def serve():
    servers = []

    def start(predict, **options):
        models = FakeModels(lambda *_: predict(), SPECS, ["m"])
        rest = RestOptions(**options)
        servers.append(Running(models, gate=Gate(1, 1), rest=rest))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_a_request_that_runs_is_answered_while_the_server_drains(serve):
    begun, finish, answers = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        finish.wait(20)
        return ONE

    server = serve(slow)

    def ask():
        answers.append(server.predict({"inputs": [1]}, "m"))

    caller = threading.Thread(target=ask)
    caller.start()
    begun.wait(20)
    stopping = threading.Thread(target=server.stop, args=(20,))
    stopping.start()
    end = time.monotonic() + 20
    host, port = server.rest_target.split(":")
    with pytest.raises(OSError):  # no new connection is taken
        while time.monotonic() < end:
            socket.create_connection((host, int(port)), 5).close()
            time.sleep(0.02)
    finish.set()
    caller.join(20)
    stopping.join(20)
    assert answers == [(200, {"outputs": [1.0]})]


def test_a_request_that_waits_too_long_times_out(serve):
    begun, finish = threading.Event(), threading.Event()

    def slow():
        begun.set()
        finish.wait(20)
        return ONE

    server = serve(slow, timeout_s=0.3)
    body = {"inputs": [1]}
    first = threading.Thread(target=server.predict, args=(body, "m"))
    first.start()
    begun.wait(20)
    status, answer = server.predict(body, "m")
    assert status == 504 and "Deadline" in answer["error"]
    finish.set()
    first.join(20)


def test_a_fault_of_the_server_tells_no_details(serve, caplog):
    def fail():
        raise KeyError("i-am-an-item-id")

    status, answer = serve(fail).predict({"inputs": [1]}, "m")
    assert (status, answer) == (
        500, {"error": "The server failed with KeyError."}
    )
    assert "item-id" not in caplog.text


def test_a_body_that_is_too_large_is_refused(serve):
    server = serve(lambda: ONE, max_body_bytes=1000)
    host, port = server.rest_target.split(":")
    with socket.create_connection((host, int(port)), TIMEOUT) as sock:
        sock.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\n"
                     b"Host: x\r\nContent-Length: 1001\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400")
    assert server.predict({"inputs": [1]}, "m")[0] == 200


def test_all_bodies_together_have_a_bound(serve):
    server = serve(lambda: ONE, max_pending_bytes=1000)
    body = b'{"inputs": [1]' + b" " * 1000 + b"}"
    assert server.predict(body, "m")[0] == 429
    # What was refused is not counted for ever.
    for _ in range(5):
        assert server.predict({"inputs": [1]}, "m")[0] == 200


def test_browsers_may_ask_if_they_are_let(serve):
    def allowed(server):
        host, port = server.rest_target.split(":")
        connection = http.client.HTTPConnection(host, int(port), TIMEOUT)
        connection.request("OPTIONS", "/v1/models/m:predict")
        headers = connection.getresponse().headers
        connection.close()
        return headers["Access-Control-Allow-Origin"]

    assert allowed(serve(lambda: ONE)) is None
    assert allowed(serve(lambda: ONE, has_cors=True)) == "*"


def test_a_taken_port_is_named(serve):
    from serving.rest import RestServer

    server = serve(lambda: ONE)
    with pytest.raises(OSError, match=f"listen on {server.rest_target}"):
        RestServer(server.service, server.rest_target, RestOptions())
    assert HOST in server.rest_target
