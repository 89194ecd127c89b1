"""JSON of predictions to arrays and back."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from serving import rest_json
from serving.checks import RequestError


def spec(dtype):
    return SimpleNamespace(dtype=SimpleNamespace(name=dtype))


SPECS = {"ids": spec("string"), "k": spec("int32")}
ONE = {"x": spec("float32")}


def read(body, specs=None):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return rest_json.parse(text).inputs(SPECS if specs is None else specs)


def refusal(body, specs=None):
    with pytest.raises(RequestError) as caught:
        read(body, specs)
    return str(caught.value)


def same(array, wanted, dtype):
    return array.dtype == dtype and array.tolist() == wanted


def test_columns_and_rows_are_the_same_request():
    columns = {"inputs": {"ids": [["a", "ü"], ["", "c"]], "k": [1, 2]}}
    rows = {
        "instances": [
            {"k": 1, "ids": ["a", "ü"]}, {"ids": ["", "c"], "k": 2}
        ]
    }
    for body in (columns, rows):
        inputs = read(body)
        wanted = [[b"a", "ü".encode()], [b"", b"c"]]
        assert same(inputs["ids"], wanted, object)
        assert same(inputs["k"], [1, 2], np.int32)


@pytest.mark.parametrize("body", [{"inputs": [1, 2.5]},
                                  {"instances": [1, 2.5]}])
def test_a_single_input_needs_no_name(body):
    assert same(read(body, ONE)["x"], [1, 2.5], np.float32)


@pytest.mark.parametrize("value, shape", [
    (5, ()), ([], (0,)), ([[]], (1, 0)), ([[], []], (2, 0)),
    ([[[1], [2], [3]]], (1, 3, 1)),
])
def test_shapes_are_those_of_the_lists(value, shape):
    assert read({"inputs": value}, ONE)["x"].shape == shape


def test_bytes_come_as_base64():
    body = {"inputs": {"ids": [{"b64": "/wA="}], "k": [1]}}
    assert read(body)["ids"].tolist() == [b"\xff\x00"]
    single = {"instances": [{"b64": "YQ=="}, {"b64": "Yg=="}]}
    found = read(single, {"ids": spec("string")})
    assert found["ids"].tolist() == [b"a", b"b"]


def test_infinities_are_numbers():
    found = read(b'{"inputs": [NaN, Infinity, -Infinity]}', ONE)["x"]
    assert np.isnan(found[0]) and found[1:].tolist() == [np.inf, -np.inf]


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"{", "JSON Parse error: JSONDecodeError at offset: 1"),
        (b"\xff\xfe\xfd", "JSON Parse error: UnicodeDecodeError"),
        (b"[" * 100_000, "JSON Parse error: RecursionError"),
        (b"[1]", "JSON Value: [1] Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": 1, "instances": 1}, "expecting only one of 'inputs' or"),
        ({"instances": 1}, "JSON Value: 1 Excepting 'instances' to be an"),
        ({"instances": []}, "JSON Value: [] No values in 'instances' array"),
        ({"signature_name": 1, "inputs": 1}, "key must be a string value."),
        ({"inputs": [1]}, "inputs is a plain value/list, but expecting an ob"),
        ({"instances": [1]}, "instances is a plain list, but expecting list"),
        (
            {"instances": [{"k": 1, "ids": ["a"]}, {"k": 1}]},
            "Failed to process element: 1 of 'instances' list. JSON object "
            "keys must be equal to: ids,k",
        ),
        ({"instances": [{"k": 1, "ids": [], "z": 1}]}, "equal to: ids,k"),
        (
            {"inputs": {"ids": ["a"]}},
            "Missing named input: k in 'inputs' object.",
        ),
        (
            {"inputs": {"ids": ["a"], "k": [1.5]}},
            "JSON Value: 1.5 Type: Number is not of expected type: int32; the "
            "input is k.",
        ),
        ({"inputs": {"ids": ["a"], "k": [True]}}, "Type: Boolean is not of"),
        ({"inputs": {"ids": ["a"], "k": ["1"]}}, 'Value: "1" Type: String'),
        ({"inputs": {"ids": ["a"], "k": [2**31]}}, "Value: 2147483648 Type"),
        ({"inputs": {"ids": [None], "k": [1]}}, "Value: null Type: Null"),
        ({"inputs": {"ids": [{"b": "x"}], "k": [1]}}, "correctly for base64"),
        ({"inputs": {"ids": [{"b64": "?"}], "k": [1]}}, "Unable to base64"),
        (
            {"inputs": {"ids": [["a"], "b"], "k": [1]}},
            'JSON Value: "b" found at incorrect level: 2 in the JSON DOM. '
            "Expected at level: 2",
        ),
        (
            {"inputs": {"ids": ["a", ["b"]], "k": [1]}},
            "Encountered list at unexpected level: 1 expected < 1",
        ),
        (
            {"inputs": {"ids": [["a"], ["b", "c"]], "k": [1]}},
            "Encountered list at unexpected size: 2 at level: 1 expected size:",
        ),
        (b'{"inputs": {"ids": ["\\ud800"], "k": [1]}}', "encodable as UTF-8"),
        (
            b'{"inputs": {"ids": ["a"], "k": ' + b"[" * 20 + b"]" * 20 + b"}}",
            "list at unexpected level: 20",
        ),
        (b'{"inputs": {"k": ' + b"9" * 10_000 + b"}}", "JSON Parse error: Val"),
    ],
)
def test_what_does_not_fit_is_told_in_tensorflow_serving_s_words(body, message):
    assert message in refusal(body)


@pytest.mark.parametrize("value", ["1e39", "-1e39", "1" + "0" * 300])
def test_a_number_beyond_float32_is_refused(value):
    body = f'{{"inputs": [{value}]}}'.encode()
    assert "to float without loss of precision" in refusal(body, ONE)


def test_a_first_row_cannot_make_a_huge_array():
    rows = [[1.0] * 20_000] + [[1.0]] * 20_000  # 400 million, were it true
    assert "unexpected size" in refusal({"inputs": rows}, ONE)


def test_a_long_value_is_cut_in_the_error():
    body = {"inputs": {"ids": ["a"], "k": ["x" * 10**6]}}
    assert len(refusal(body)) < 300


def test_texts_of_events_may_be_missing():
    specs = {"ids": spec("string"), "history_texts": spec("string")}
    for body in ({"inputs": {"ids": ["a"]}}, {"instances": [{"ids": "a"}]}):
        assert set(read(body, specs)) == {"ids"}


def answered(body, outputs):
    return json.loads(rest_json.parse(json.dumps(body).encode())
                      .answer(outputs))


ROWS, COLUMNS = {"instances": [1]}, {"inputs": [1]}


def test_answers_have_the_format_of_the_question():
    outputs = {
        "ids": np.array([[b"a", b"\xff"]], object),
        "k": np.array([7], np.int64),
    }
    assert answered(COLUMNS, outputs) == {
        "outputs": {"ids": [["a", "\ufffd"]], "k": [7]}
    }
    assert answered(ROWS, outputs) == {
        "predictions": [{"ids": ["a", "\ufffd"], "k": 7}]
    }


def test_a_single_output_stands_without_its_name():
    outputs = {"k": np.array([[7], [8]])}
    assert answered(COLUMNS, outputs) == {"outputs": [[7], [8]]}
    assert answered(ROWS, outputs) == {"predictions": [[7], [8]]}


def test_bytes_outputs_are_base64():
    outputs = {"raw_bytes": np.array([b"\xff\x00"], object)}
    assert answered(COLUMNS, outputs) == {"outputs": [{"b64": "/wA="}]}


def test_decimals_have_the_fewest_digits_that_come_back():
    outputs = {"x": np.array([0.2, -np.inf, 1 / 3], np.float32)}
    text = rest_json.parse(b'{"inputs": 1}').answer(outputs)
    assert text == '{"outputs": [0.2, -Infinity, 0.33333334]}'
