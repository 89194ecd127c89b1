"""Our messages against tensorflow-serving-api's, byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import model_pb2, predict_pb2

from serving import wire

NUMBERS = (1, 2, 3, 7, 9, 10)
ARRAYS = [
    np.array([[1.5, -np.inf, np.nan]], np.float32),
    np.array([1e300, -2.0], np.float64),
    np.array([[-7], [2**31 - 1]], np.int32),
    np.array([-(2**63), 2**63 - 1], np.int64),
    np.array([[True, False]]),
    np.array([["ü☕", b"\xff\x00"]], object),
    np.zeros((2, 0), np.int64),
    np.full((1, 0, 3), "", object),
    np.array(5, np.int32),
    np.array([["x" * 127, "y" * 128, "z" * 20_000]], object),
    np.ones((1, 300), np.float32),
]


def read_array(tensor):
    return wire.from_tensor(tensor, wire.shape_of(tensor))


def as_bytes(array):
    if array.dtype != object:
        return array
    encode = np.vectorize(
        lambda v: v.encode() if isinstance(v, str) else v, otypes=[object]
    )
    return encode(array) if array.size else array


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_tensorflow_reads_our_tensors(array):
    content = wire.tensor_bytes(array)
    read = tf.make_ndarray(tensor_pb2.TensorProto.FromString(content))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, as_bytes(array))


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_we_read_tensorflow_s_tensors(array):
    content = tf.make_tensor_proto(array).SerializeToString()
    read = read_array(wire.message("Tensor").FromString(content))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, as_bytes(array))


def test_values_that_are_left_out_repeat_the_last():
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[3.0, 4.0])
    for size in (2, 2):
        proto.tensor_shape.dim.add(size=size)
    content = proto.SerializeToString()
    read = read_array(wire.message("Tensor").FromString(content))
    assert read.tolist() == [[3.0, 4.0], [4.0, 4.0]]


VALUES = {
    "float_val": st.floats(width=32),
    "double_val": st.floats(),
    "int_val": st.integers(-(2**31), 2**31 - 1),
    "string_val": st.binary(max_size=3),
    "int64_val": st.integers(-(2**63), 2**63 - 1),
    "bool_val": st.booleans(),
}


@st.composite
def tensors(draw):
    """TensorFlow's messages, sound or not."""
    proto = tensor_pb2.TensorProto(dtype=draw(st.sampled_from(NUMBERS)))
    for size in draw(st.lists(st.integers(0, 3), max_size=3)):
        proto.tensor_shape.dim.add(size=size)
    if draw(st.booleans()):
        proto.tensor_content = draw(st.binary(max_size=64))
    for field in draw(st.sets(st.sampled_from(sorted(VALUES)))):
        values = draw(st.lists(VALUES[field], max_size=9))
        getattr(proto, field).extend(values)
    return proto


@given(tensors())
def test_any_message_is_read_as_tensorflow_reads_it(proto):
    try:
        wanted = tf.make_ndarray(proto)
    except ValueError:
        with pytest.raises(ValueError):
            read_array(proto)
        return
    read = read_array(proto)
    assert (read.dtype, read.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(read, as_bytes(wanted))


def test_a_type_that_no_signature_has_is_refused():
    with pytest.raises(TypeError, match="complex64"):
        wire.tensor_bytes(np.zeros(1, np.complex64))
    with pytest.raises(TypeError, match="DataType 8"):
        read_array(wire.message("Tensor")(dtype=8))


def test_a_request_is_tensorflow_serving_s_request():
    inputs = {str(number): array for number, array in enumerate(ARRAYS)}
    content = wire.request_bytes("m", "s", inputs)
    read = predict_pb2.PredictRequest.FromString(content)
    assert (read.model_spec.name, read.model_spec.signature_name) == ("m", "s")
    assert set(read.inputs) == set(inputs)
    for name, array in inputs.items():
        found = tf.make_ndarray(read.inputs[name])
        np.testing.assert_array_equal(found, as_bytes(array))


def test_our_message_of_a_request_is_tensorflow_serving_s():
    request = wire.message("PredictRequest")(output_filter=["a"])
    request.model_spec.name = "m"
    request.model_spec.signature_name = "s"
    request.model_spec.version.value = 12
    values = wire.message("Tensor").FromString(
        wire.tensor_bytes(np.array([1, 2], np.int32))
    )
    request.inputs.add(key="k", value=values)
    read = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert (read.model_spec.name, read.model_spec.signature_name) == ("m", "s")
    assert read.model_spec.version.value == 12
    assert list(read.output_filter) == ["a"]
    assert tf.make_ndarray(read.inputs["k"]).tolist() == [1, 2]


def test_we_answer_as_tensorflow_serving_answers():
    spec = model_pb2.ModelSpec(name="m", version_label="l")
    outputs = {"x": ARRAYS[0], "y": ARRAYS[5]}
    content = wire.response_bytes(spec.SerializeToString(), outputs)
    read = predict_pb2.PredictResponse.FromString(content)
    assert read.model_spec == spec
    assert set(read.outputs) == {"x", "y"}
    assert list(read.outputs["x"].float_val[:2]) == [1.5, -np.inf]
    assert tf.make_ndarray(read.outputs["y"]).tolist() == [
        ["ü☕".encode(), b"\xff\x00"]
    ]


def test_an_answer_is_tensorflow_serving_s_answer():
    answer = predict_pb2.PredictResponse()
    answer.outputs["x"].CopyFrom(tf.make_tensor_proto([["a", "b"]]))
    content = answer.SerializeToString()
    read = wire.message("PredictResponse").FromString(content)
    assert [pair.key for pair in read.outputs] == ["x"]
    assert read_array(read.outputs[0].value).tolist() == [[b"a", b"b"]]
