"""TensorFlow Serving's messages without TensorFlow.

`tensorflow_serving.apis` imports all of TensorFlow, ten seconds and more. The
messages that a client needs are declared here with the field numbers of
TensorFlow Serving's public protos, under names and in a descriptor pool of
their own, so that they live beside the real ones in one process. A map is a
repeated pair of key 1 and value 2 on the wire, and declared as such.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

if TYPE_CHECKING:
    from serving.fields import Array

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
_TYPES = {
    "float32": (1, "float_val"),
    "float64": (2, "double_val"),
    "int32": (3, "int_val"),
    "object": (7, "string_val"),
    "int64": (9, "int64_val"),
    "bool": (10, "bool_val"),
}
_BY_NUMBER = {number: (name, field) for name, (number, field) in _TYPES.items()}


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


def fill_tensor(tensor: Any, array: Array) -> None:
    """Writes an array, of objects that are str or bytes, to a blank message.

    The message may be this module's Tensor or TensorFlow's TensorProto.
    Values go into the typed fields, as TensorFlow Serving's own answers do,
    so that clients which read `float_val` find them.

    Raises:
        TypeError: for other types than those of the signatures.
    """
    if array.dtype.name not in _TYPES:
        raise TypeError(
            f"Got an array of {array.dtype.name}; a request takes "
            f"{', '.join(_TYPES)} (object: strings)."
        )
    number, field = _TYPES[array.dtype.name]
    tensor.dtype = number
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    values = array.ravel().tolist()
    if field == "string_val":
        values = [v.encode() if isinstance(v, str) else v for v in values]
    getattr(tensor, field).extend(values)


def is_known(tensor: Any) -> bool:
    """Whether `from_tensor` reads a message's type."""
    return tensor.dtype in _BY_NUMBER


def from_tensor(tensor: Any) -> Array:
    """The array of a Tensor message; strings are an object array of bytes.

    The message may be this module's Tensor or TensorFlow's TensorProto. The
    array may be a view of it that cannot be written to.

    Raises:
        TypeError: for a type that no signature has.
        ValueError: if its values do not fill its shape.
    """
    if not is_known(tensor):
        raise TypeError(f"Got a tensor of DataType {tensor.dtype}.")
    name, field = _BY_NUMBER[tensor.dtype]
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        content: Array = np.frombuffer(tensor.tensor_content, name)
        return content.reshape(shape)
    values = getattr(tensor, field)
    array = np.empty(shape, name)
    flat = array.ravel()
    if len(values) > flat.size:
        raise ValueError(f"Got {len(values)} values for shape {shape}.")
    # Fewer values than places: the last one is repeated, as in TensorFlow.
    flat[: len(values)] = list(values)
    if len(values) < flat.size:
        blank = b"" if field == "string_val" else 0
        flat[len(values) :] = values[-1] if values else blank
    return array


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
