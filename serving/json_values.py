"""JSON values to arrays of a type, and back.

Sentences of errors begin as TensorFlow Serving's.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.checks import RequestError

if TYPE_CHECKING:
    from serving.fields import Array

_SHOWN = 80  # characters of a value in an error
_BYTES_SUFFIX = "_bytes"  # outputs of such a name are written as base64
_MAX_RANK = 8  # no signature has half as many axes
_TYPES = {
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
    bool: "Boolean",
    type(None): "Null",
}


def array(name: str, value: Any, dtype: str) -> Array:
    """An array of nested lists.

    Args:
        name: of the input, for messages.
        value: as JSON was parsed.
        dtype: TensorFlow's name of the type.

    Raises:
        RequestError: saying which value does not fit.
    """
    shape = _shape(value)
    if len(shape) > _MAX_RANK:
        raise RequestError(
            f"Encountered list at unexpected level: {len(shape)} expected < "
            f"{_MAX_RANK}; the input is {name}."
        )
    try:
        leaves = [
            _converted(leaf, dtype) for leaf in _leaves(value, shape, 0)
        ]
    except RequestError as error:
        raise RequestError(f"{error}; the input is {name}.") from None
    # Only now: a shape alone, not yet held to all values, can be any size.
    result = np.empty(shape, object if dtype == "string" else dtype)
    result.ravel()[:] = leaves
    return result


def _shape(value: Any) -> tuple[int, ...]:
    """Sizes along the first elements; the others are held to them."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _leaves(
    value: Any, shape: tuple[int, ...], level: int
) -> Iterator[Any]:
    if not isinstance(value, list):
        if level != len(shape):
            raise RequestError(
                f"JSON Value: {shown(value)} found at incorrect level: "
                f"{level + 1} in the JSON DOM. Expected at level: {len(shape)}"
            )
        yield value
        return
    if level >= len(shape):
        raise RequestError(
            f"Encountered list at unexpected level: {level} expected < "
            f"{len(shape)}"
        )
    if len(value) != shape[level]:
        raise RequestError(
            f"Encountered list at unexpected size: {len(value)} at level: "
            f"{level} expected size: {shape[level]}"
        )
    for part in value:
        yield from _leaves(part, shape, level + 1)


def _converted(value: Any, dtype: str) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if dtype == "string":
        if isinstance(value, str):
            return _encoded(value)
        if isinstance(value, dict):
            return _decoded(value)
    elif dtype.startswith("float") and is_number:
        return _decimal(value, dtype)
    elif dtype == "bool" and isinstance(value, bool):
        return value
    elif dtype.startswith("int") and is_number and isinstance(value, int):
        limits = np.iinfo(dtype)
        if limits.min <= value <= limits.max:
            return value
    raise RequestError(
        f"JSON Value: {shown(value)} Type: {_TYPES[type(value)]} is not of "
        f"expected type: {dtype.replace('float32', 'float')}"
    )


def _encoded(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, escaped
        raise RequestError(
            f"JSON Value: {shown(value)} is not encodable as UTF-8"
        ) from None


def _decimal(value: float, dtype: str) -> float:
    is_special = isinstance(value, float) and not math.isfinite(value)
    if not is_special and abs(value) > np.finfo(dtype).max:
        raise RequestError(
            f"Cannot convert JSON value: {shown(value)} to "
            f"{dtype.replace('float32', 'float')} without loss of precision."
        )
    return value


def is_base64(value: Any) -> bool:
    """Whether a value is bytes: `{"b64": "..."}`."""
    return (
        isinstance(value, dict)
        and value.keys() == {"b64"}
        and isinstance(value["b64"], str)
    )


def _decoded(value: dict[str, Any]) -> bytes:
    if not is_base64(value):
        raise RequestError(
            f"JSON Value: {shown(value)} not formatted correctly for base64 "
            "data"
        )
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("Unable to base64 decode") from None


def plain(name: str, value: Array) -> Any:
    """Nested lists that JSON can hold."""
    if value.dtype == object:
        write = (
            (lambda v: {"b64": base64.b64encode(v).decode("ascii")})
            if name.endswith(_BYTES_SUFFIX)
            else (lambda v: v.decode("utf-8", "replace"))
        )
    elif value.dtype == np.float32:
        # The shortest digits that give the same float32, as 0.2.
        def write(v: Any) -> Any:
            return float(str(v))
    else:
        return value.tolist()
    flat = np.empty(value.shape, object)
    flat.ravel()[:] = [write(v) for v in value.ravel()]
    return flat.tolist()


def shown(value: Any) -> str:
    """A value for a message, cut where it is long."""
    text = json.dumps(value)  # in ASCII: a string may be half of a character
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
