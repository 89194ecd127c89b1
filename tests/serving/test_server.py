"""The server as a process, asked with tensorflow-serving-api's own stubs."""

from __future__ import annotations

import subprocess
import sys

import grpc
import numpy as np
import pytest
import tensorflow as tf
import toy_model
from grpc_health.v1 import health_pb2, health_pb2_grpc
from processes import Process, beside
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving import signatures
from serving.client import Client, User

TIMEOUT = 30
ITEM = np.array(["i3"], object)


@pytest.fixture(scope="module")
def channel(server_process):
    with grpc.insecure_channel(server_process.target) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict_request(signature, inputs, name="recommender"):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def similar(name="recommender", k=2):
    inputs = {"item_ids": ITEM, "k": np.array([k], np.int32)}
    return predict_request("similar_items", inputs, name)


def refusal(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=TIMEOUT)
    return caught.value.code(), caught.value.details()


def test_the_ready_line_names_version_and_port(server_process):
    line = server_process.ready_line
    assert line.startswith("Serving recommender version 1 on 127.0.0.1:")


def test_a_stock_stub_gets_the_oracle_s_answer(stub, oracle):
    fields = signatures.SIGNATURES["recommend"].inputs
    inputs = signatures.blank(fields, {"b": 1, "L": 2, "X": 1})
    inputs["history_item_ids"][0] = ["i4", "i9"]
    inputs["exclude_item_ids"][0] = [oracle.recommend(["i4", "i9"], 1)[0][0]]
    inputs["scenario"][0] = "night"
    inputs["k"][:] = 6
    answer = stub.Predict(predict_request("", inputs), timeout=TIMEOUT)
    wanted = oracle.recommend(
        ["i4", "i9"], 6, list(inputs["exclude_item_ids"][0]), scenario="night"
    )
    found = tf.make_ndarray(answer.outputs["item_ids"])[0]
    assert [item.decode() for item in found] == [item for item, _ in wanted]
    np.testing.assert_allclose(
        tf.make_ndarray(answer.outputs["scores"])[0],
        [score for _, score in wanted],
        atol=1e-5,
    )


def test_a_stock_stub_and_our_client_get_the_same(stub, server_process, oracle):
    answer = stub.Predict(similar(k=5), timeout=TIMEOUT)
    with Client(server_process.target) as client:
        ours = client.similar("i3", k=5)
    theirs = zip(
        tf.make_ndarray(answer.outputs["item_ids"])[0],
        tf.make_ndarray(answer.outputs["titles"])[0],
        tf.make_ndarray(answer.outputs["scores"])[0],
        strict=True,
    )
    assert [(a.item_id, a.title, a.score) for a in ours] == [
        (item.decode(), title.decode(), score) for item, title, score in theirs
    ]


def test_values_are_in_the_typed_fields(stub):
    answer = stub.Predict(similar(), timeout=TIMEOUT)
    assert len(answer.outputs["scores"].float_val) == 2
    assert len(answer.outputs["item_ids"].string_val) == 2


def test_the_answer_names_its_model_and_version(stub):
    spec = stub.Predict(similar(), timeout=TIMEOUT).model_spec
    assert (spec.name, spec.version.value) == ("recommender", 1)
    assert spec.signature_name == "similar_items"


def test_an_output_filter_is_kept(stub):
    request = similar()
    request.output_filter.append("titles")
    assert set(stub.Predict(request, timeout=TIMEOUT).outputs) == {"titles"}


def test_an_unknown_model_is_not_found(stub):
    code, details = refusal(stub.Predict, similar("shop"))
    assert code is grpc.StatusCode.NOT_FOUND
    assert details == "Servable not found for request: Latest(shop)"


def test_an_unknown_version_is_not_found(stub):
    request = similar()
    request.model_spec.version.value = 77
    code, details = refusal(stub.Predict, request)
    assert code is grpc.StatusCode.NOT_FOUND
    assert details == (
        "Servable not found for request: Specific(recommender, 77)"
    )


def test_an_unknown_version_label_is_an_invalid_argument(stub):
    request = similar()
    request.model_spec.version_label = "canary"
    code, details = refusal(stub.Predict, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details == "Unrecognized servable version label: canary"


def test_an_unknown_signature_fails_its_precondition(stub):
    code, details = refusal(stub.Predict, predict_request("rnak", {}))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert details.startswith('Serving signature key "rnak" not found.')
    assert "rank" in details


def test_inputs_that_do_not_match_are_named(stub):
    request = predict_request("similar_items", {"item_ids": ITEM})
    _, details = refusal(stub.Predict, request)
    assert details.startswith(
        "input size does not match signature: 1!=2 len({item_ids}) != "
        "len({item_ids,k}). Sent extra: {}. Missing but required: {k}."
    )


def test_a_wrong_type_is_told_in_tensorflow_s_words(stub):
    inputs = {"item_ids": ITEM, "k": np.array([1])}
    request = predict_request("similar_items", inputs)
    _, details = refusal(stub.Predict, request)
    assert details.startswith(
        "Expects arg[1] to be int32 but int64 is provided"
    )


def test_a_request_without_a_model_is_an_invalid_argument(stub):
    request = predict_pb2.PredictRequest()
    code, details = refusal(stub.Predict, request)
    assert (code, details) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Missing ModelSpec",
    )


def test_bytes_that_are_no_message_are_an_invalid_argument(channel):
    call = channel.unary_unary(
        "/tensorflow.serving.PredictionService/Predict",
        request_serializer=lambda content: content,
    )
    code, details = refusal(call, b"\xff" * 40)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details == "The message is no tensorflow.serving.PredictRequest."


@pytest.mark.parametrize(
    "inputs",
    [
        {"item_ids": ITEM},
        {"item_ids": ITEM, "k": np.array([1])},
        {"item_ids": ITEM, "k": np.array([[1]], np.int32)},
        {"item_ids": ITEM, "k": np.array([1], np.int32), "x": ITEM},
    ],
    ids=["missing", "dtype", "rank", "unknown"],
)
def test_inputs_that_do_not_fit_are_invalid_arguments(stub, inputs):
    request = predict_request("similar_items", inputs)
    code, _ = refusal(stub.Predict, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_tensor_whose_values_do_not_fill_it_is_an_invalid_argument(stub):
    request = similar()
    request.inputs["k"].tensor_content = b"abc"
    code, details = refusal(stub.Predict, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT and "k is no" in details


def test_a_tiny_message_cannot_ask_for_a_huge_tensor(stub):
    request = similar()
    request.inputs["k"].tensor_shape.dim[0].size = 2**40
    code, details = refusal(stub.Predict, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT and "at most" in details


def test_metadata_lists_all_signatures(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["signature_def"]
    )
    request.model_spec.name = "recommender"
    response = stub.GetModelMetadata(request, timeout=TIMEOUT)
    found = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(found)
    assert set(toy_model.NAMES) <= set(found.signature_def)
    rank = found.signature_def["rank"]
    assert "candidate_item_ids" in rank.inputs


def test_other_metadata_is_an_invalid_argument(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        metadata_field=["weights"]
    )
    request.model_spec.name = "recommender"
    code, _ = refusal(stub.GetModelMetadata, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT


def test_the_status_is_available(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "recommender"
    found = stub.GetModelStatus(request, timeout=TIMEOUT).model_version_status
    kind = get_model_status_pb2.ModelVersionStatus
    assert [(s.version, s.state) for s in found] == [(1, kind.AVAILABLE)]


def test_the_status_of_an_unknown_version_is_not_found(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "recommender"
    request.model_spec.version.value = 5
    assert refusal(stub.GetModelStatus, request)[0] is (
        grpc.StatusCode.NOT_FOUND
    )


def test_health_is_serving(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "recommender"):
        request = health_pb2.HealthCheckRequest(service=service)
        answer = stub.Check(request, timeout=TIMEOUT)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_history_of_ten_thousand_is_answered(server_process, oracle):
    user = User(history=oracle.ids[:50] * 200)
    with Client(server_process.target) as client:
        answers = client.recommend(user, k=5)
    assert not {a.item_id for a in answers} & set(oracle.ids[:50])
    assert len(answers) == 5


def test_nothing_of_a_request_is_logged(server_process):
    user = User(history=["a-very-secret-id"], profile_text="a secret profile")
    with Client(server_process.target) as client:
        client.recommend(user)
        with pytest.raises(RuntimeError):
            client.predict("a-secret-signature", {})
    assert "secret" not in server_process.log.read_text()


def test_a_signal_that_comes_while_the_main_thread_cannot_see_it_ends_it(
    tmp_path,
):
    """As one does that comes just before a lock is waited for."""
    program = (
        "import signal, threading\n"
        "from serving.server import stop_signals\n"
        "def late():\n"
        "    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)\n"
        "with stop_signals() as wait:\n"
        "    threading.Timer(1, late).start()\n"
        "    wait()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], timeout=60, **beside(tmp_path)
    )
    assert done.returncode == 0


def test_a_scann_bundle_is_served_and_sigterm_ends_cleanly(
    scann_dir, tmp_path, oracle
):
    process = Process(scann_dir.parent, tmp_path / "stderr")
    with Client(process.target) as client:
        answers = client.recommend(User(history=["i1"]), k=4)
    wanted = [item for item, _ in oracle.recommend(["i1"], 4)]
    assert [answer.item_id for answer in answers] == wanted
    assert process.terminate() == 0


def test_a_taken_port_is_named(server_process, exact_dir, tmp_path):
    port = server_process.target.rsplit(":", 1)[1]
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "serving.server", "--host", "127.0.0.1"),
            *("--model_base_path", str(exact_dir.parent), "--port", port),
        ],
        capture_output=True,
        **beside(tmp_path),
    )
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr


def test_modules_are_no_garbage_to_look_among():
    asked = (
        "import gc; from serving.server import main; "
        "code = main(['--model_base_path', 'nothing/here', '--port', '0']); "
        "print(code, gc.get_freeze_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True, text=True, check=True,
    )
    code, frozen = map(int, done.stdout.split())
    assert "nothing/here has no version to serve" in done.stderr
    assert code == 1
    assert frozen > 100_000
