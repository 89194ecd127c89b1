"""TensorFlow Serving's messages without TensorFlow.

`tensorflow_serving.apis` imports all of TensorFlow, ten seconds and more. The
messages that a client needs are declared here with the field numbers of
TensorFlow Serving's public protos, under names and in a descriptor pool of
their own, so that they live beside the real ones in one process. A map is a
repeated pair of key 1 and value 2 on the wire, and declared as such.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

_PACKAGE = "interest_towers.wire"

Messages = Mapping[str, tuple[tuple[str, int, str], ...]]

_MESSAGES: Messages = {
    "Dim": (("size", 1, "int64"), ("name", 2, "string")),
    "Shape": (("dim", 2, "*Dim"), ("unknown_rank", 3, "bool")),
    "Tensor": (
        ("dtype", 1, "int32"),
        ("tensor_shape", 2, "Shape"),
        ("tensor_content", 4, "bytes"),
        ("float_val", 5, "*float"),
        ("double_val", 6, "*double"),
        ("int_val", 7, "*int32"),
        ("string_val", 8, "*bytes"),
        ("int64_val", 10, "*int64"),
        ("bool_val", 11, "*bool"),
    ),
    "NamedTensor": (("key", 1, "string"), ("value", 2, "Tensor")),
    "Version": (("value", 1, "int64"),),
    "ModelSpec": (
        ("name", 1, "string"),
        ("version", 2, "Version"),
        ("signature_name", 3, "string"),
        ("version_label", 4, "string"),
    ),
    "PredictRequest": (
        ("model_spec", 1, "ModelSpec"),
        ("inputs", 2, "*NamedTensor"),
        ("output_filter", 3, "*string"),
    ),
    "PredictResponse": (
        ("outputs", 1, "*NamedTensor"),
        ("model_spec", 2, "ModelSpec"),
    ),
}

# numpy type -> (TensorFlow's DataType number, field of the values).
_TYPES: Mapping[np.dtype[Any], tuple[int, str]] = {
    np.dtype("float32"): (1, "float_val"),
    np.dtype("float64"): (2, "double_val"),
    np.dtype("int32"): (3, "int_val"),
    np.dtype("object"): (7, "string_val"),
    np.dtype("int64"): (9, "int64_val"),
    np.dtype("bool"): (10, "bool_val"),
}
_NUMBER = b"\x08"  # the key of dtype and size: field 1, a number
_TEXT = b"\x42"  # the key of string_val: field 8, of bytes
_BY_NUMBER = {
    number: (dtype, field) for dtype, (number, field) in _TYPES.items()
}


@functools.cache
def message(name: str) -> Any:
    """The class of a message, e.g. `message("PredictRequest")`."""
    return message_class(_pool(), f"{_PACKAGE}.{name}")


def message_class(pool: descriptor_pool.DescriptorPool, name: str) -> Any:
    """The class of a pool's message, by its full name."""
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and later
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def request_bytes(model: str, signature: str, inputs: Arrays) -> bytes:
    """A serialized PredictRequest.

    Raises:
        TypeError: for arrays of other types than those of the signatures.
    """
    request = message("PredictRequest")()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    # Fields of a message may come one after the other.
    return bytes(request.SerializeToString()) + _named(2, inputs)


def response_bytes(model_spec: bytes, outputs: Arrays) -> bytes:
    """A serialized PredictResponse.

    Args:
        model_spec: a serialized ModelSpec.
        outputs: by name.

    Raises:
        TypeError: for arrays of other types than those of the signatures.
    """
    return _named(1, outputs) + _delimited(2, model_spec)


def tensor_bytes(array: Array) -> bytes:
    """A serialized Tensor, of an array whose objects are str or bytes.

    Joined from bytes: a message of messages takes several times as long to
    fill. Values go into the typed fields, as TensorFlow Serving's own answers
    do, so that clients which read `float_val` find them.

    Raises:
        TypeError: for other types than those of the signatures.
    """
    known = _TYPES.get(array.dtype)
    if known is None:
        raise TypeError(
            f"Got an array of {array.dtype}; a request takes "
            f"{', '.join(map(str, _TYPES))} (object: strings)."
        )
    number, field = known
    head = _head(number, array.shape)
    if not array.size:
        return head
    values = array.ravel().tolist()
    if field == "string_val":
        texts = [v.encode() if isinstance(v, str) else v for v in values]
        entries = [_TEXT + _varint(len(text)) + text for text in texts]
        return head + b"".join(entries)
    filled = message("Tensor")()
    getattr(filled, field).extend(values)
    return head + bytes(filled.SerializeToString())


def _named(field: int, arrays: Arrays) -> bytes:
    """Serialized entries of a map from names to tensors."""
    entries = []
    for name, array in arrays.items():
        value = _delimited(2, tensor_bytes(array))
        entries.append(_delimited(field, _delimited(1, name.encode()) + value))
    return b"".join(entries)


@functools.lru_cache(1024)
def _head(number: int, shape: tuple[int, ...]) -> bytes:
    """Type and shape of a serialized Tensor."""
    sizes = [_delimited(2, _NUMBER + _varint(size)) for size in shape]
    return _NUMBER + _varint(number) + _delimited(2, b"".join(sizes))


def _delimited(field: int, content: bytes) -> bytes:
    """A field of bytes: its key, which is its number and kind; its length."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


@functools.lru_cache(4096)
def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def is_known(tensor: Any) -> bool:
    """Whether `from_tensor` reads a message's type."""
    return tensor.dtype in _BY_NUMBER


def shape_of(tensor: Any) -> list[int]:
    """Sizes that a Tensor message says it has; they may be anything."""
    return [dim.size for dim in tensor.tensor_shape.dim]


def from_tensor(tensor: Any, shape: Sequence[int]) -> Array:
    """The array of a Tensor message; strings are an object array of bytes.

    The message may be this module's Tensor or TensorFlow's TensorProto. The
    array may be a view of it that cannot be written to.

    Args:
        tensor: the message.
        shape: what `shape_of` finds, and the caller has found bearable.

    Raises:
        TypeError: for a type that no signature has.
        ValueError: if its values do not fill its shape.
    """
    if not is_known(tensor):
        raise TypeError(f"Got a tensor of DataType {tensor.dtype}.")
    dtype, field = _BY_NUMBER[tensor.dtype]
    if content := tensor.tensor_content:
        packed: Array = np.frombuffer(content, dtype)
        return packed.reshape(shape)
    values = list(getattr(tensor, field))
    left = math.prod(shape) - len(values)
    if left < 0:
        raise ValueError(f"Got {len(values)} values for shape {shape}.")
    if left:
        # As in TensorFlow: the last one is repeated.
        blank = b"" if field == "string_val" else 0
        values += [values[-1] if values else blank] * left
    array: Array = np.empty(len(values), dtype)
    array[:] = values
    return array.reshape(shape)


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    return pool_of(_PACKAGE, _MESSAGES)


def pool_of(
    package: str, messages: Messages
) -> descriptor_pool.DescriptorPool:
    """A descriptor pool of its own with the declared messages.

    Args:
        package: their common prefix.
        messages: fields by message, as `(name, number, type)`; a type that
            begins with "*" repeats, one with a capital is a message.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in messages.items():
        declared = file.message_type.add(name=name)
        for field, number, kind in fields:
            declaration = declared.field.add(name=field, number=number)
            _declare(declaration, kind, package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _declare(field: Any, kind: str, package: str) -> None:
    types = descriptor_pb2.FieldDescriptorProto
    repeated, base = kind.startswith("*"), kind.lstrip("*")
    field.label = types.LABEL_REPEATED if repeated else types.LABEL_OPTIONAL
    if base[0].isupper():
        field.type = types.TYPE_MESSAGE
        field.type_name = f".{package}.{base}"
    else:
        field.type = getattr(types, f"TYPE_{base.upper()}")
