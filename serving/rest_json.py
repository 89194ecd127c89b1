"""TensorFlow Serving's JSON of a prediction, to arrays and back.

By row, `{"instances": [{"k": 3, ...}, ...]}` gives `{"predictions": [...]}`;
by column, `{"inputs": {"k": [3], ...}}` gives `{"outputs": {...}}`.
Bytes are `{"b64": "..."}`. Sentences of errors begin as TensorFlow Serving's.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.checks import RequestError
from serving.signatures import SIGNATURES

if TYPE_CHECKING:
    from serving.signatures import Array, Arrays

_SHOWN = 80  # characters of a value in an error
_BYTES_SUFFIX = "_bytes"  # outputs of such a name are written as base64
_MAX_RANK = 8  # no signature has half as many axes
# Texts of events, which a request may leave out.
_OPTIONAL = {
    field.name
    for signature in SIGNATURES.values()
    for field in signature.inputs
    if field.is_text
}
_ROWS, _COLUMNS = "instances", "inputs"
_TYPES = {
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
    bool: "Boolean",
    type(None): "Null",
}


@dataclasses.dataclass(frozen=True)
class Document:
    """The JSON of a request.

    Attributes:
        signature: "" is the default one.
        by_row: whether it came, and is answered, row by row.
        values: of "instances" or "inputs", as parsed.
    """

    signature: str
    by_row: bool
    values: Any

    def inputs(self, specs: Mapping[str, Any]) -> dict[str, Array]:
        """Arrays in the types of a signature's inputs.

        Args:
            specs: `tf.TensorSpec` by input.

        Raises:
            RequestError: saying where the values do not fit.
        """
        if self.by_row:
            return _from_rows(self.values, specs)
        return _from_columns(self.values, specs)

    def answer(self, outputs: Arrays) -> str:
        """JSON of the outputs, in the format of the request."""
        plain = {key: _plain(key, value) for key, value in outputs.items()}
        alone = len(plain) == 1
        if not self.by_row:
            whole = next(iter(plain.values())) if alone else plain
            return json.dumps({"outputs": whole}, ensure_ascii=False)
        rows = [
            values[0] if alone else dict(zip(plain, values, strict=True))
            for values in zip(*plain.values(), strict=True)
        ]
        return json.dumps({"predictions": rows}, ensure_ascii=False)


def parse(body: bytes) -> Document:
    """Reads the body of a request.

    Raises:
        RequestError: if it is not the JSON of one.
    """
    if not body:
        raise RequestError("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    # A number of too many digits is a ValueError too.
    except (ValueError, RecursionError) as error:
        place = getattr(error, "pos", None)
        at = "" if place is None else f" at offset: {place}"
        raise RequestError(
            f"JSON Parse error: {type(error).__name__}{at}"
        ) from None
    if not isinstance(document, dict):
        raise RequestError(f"JSON Value: {_shown(document)} Is not object")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise RequestError(
            f"JSON Value: {_shown(signature)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return _document(document, signature)


def _document(document: dict[str, Any], signature: str) -> Document:
    if _ROWS in document and _COLUMNS in document:
        raise RequestError(
            "JSON Value: Not formatted correctly expecting only one of "
            f"'{_COLUMNS}' or '{_ROWS}' keys to exist "
        )
    if _ROWS in document:
        rows = document[_ROWS]
        if not isinstance(rows, list):
            raise RequestError(
                f"JSON Value: {_shown(rows)} Excepting '{_ROWS}' to be an "
                "list/array"
            )
        if not rows:
            raise RequestError(f"JSON Value: [] No values in '{_ROWS}' array")
        return Document(signature, True, rows)
    if _COLUMNS in document:
        return Document(signature, False, document[_COLUMNS])
    raise RequestError(f"Missing '{_COLUMNS}' or '{_ROWS}' key")


def _from_columns(values: Any, specs: Mapping[str, Any]) -> dict[str, Array]:
    if not isinstance(values, dict) or _is_base64(values):
        if len(specs) != 1:
            raise RequestError(
                "inputs is a plain value/list, but expecting an object as "
                "multiple input tensors required as per tensorinfo_map"
            )
        values = {next(iter(specs)): values}
    for name in sorted(specs.keys() - values.keys() - _OPTIONAL):
        raise RequestError(f"Missing named input: {name} in 'inputs' object.")
    return {
        name: _array(name, values[name], spec.dtype.name)
        for name, spec in specs.items()
        if name in values  # others are ignored, as TensorFlow Serving does
    }


def _from_rows(rows: list[Any], specs: Mapping[str, Any]) -> dict[str, Array]:
    named = isinstance(rows[0], dict) and not _is_base64(rows[0])
    if not named and len(specs) != 1:
        raise RequestError(
            "instances is a plain list, but expecting list of objects as "
            "multiple input tensors required as per tensorinfo_map"
        )
    if not named:
        rows = [{next(iter(specs)): row} for row in rows]
    for number, row in enumerate(rows):
        if (
            not isinstance(row, dict)
            or row.keys() != rows[0].keys()
            or (row.keys() ^ specs.keys()) - _OPTIONAL
        ):
            raise RequestError(
                f"Failed to process element: {number} of 'instances' list. "
                f"JSON object keys must be equal to: {','.join(sorted(specs))}"
            )
    return _from_columns(
        {name: [row[name] for row in rows] for name in rows[0]}, specs
    )


def _array(name: str, value: Any, dtype: str) -> Array:
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
    array = np.empty(shape, object if dtype == "string" else dtype)
    array.ravel()[:] = leaves
    return array


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
                f"JSON Value: {_shown(value)} found at incorrect level: "
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
        f"JSON Value: {_shown(value)} Type: {_TYPES[type(value)]} is not of "
        f"expected type: {dtype.replace('float32', 'float')}"
    )


def _encoded(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, escaped
        raise RequestError(
            f"JSON Value: {_shown(value)} is not encodable as UTF-8"
        ) from None


def _decimal(value: float, dtype: str) -> float:
    is_special = isinstance(value, float) and not math.isfinite(value)
    if not is_special and abs(value) > np.finfo(dtype).max:
        raise RequestError(
            f"Cannot convert JSON value: {_shown(value)} to "
            f"{dtype.replace('float32', 'float')} without loss of precision."
        )
    return value


def _is_base64(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"b64"}
        and isinstance(value["b64"], str)
    )


def _decoded(value: dict[str, Any]) -> bytes:
    if not _is_base64(value):
        raise RequestError(
            f"JSON Value: {_shown(value)} not formatted correctly for base64 "
            "data"
        )
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("Unable to base64 decode") from None


def _plain(name: str, value: Array) -> Any:
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


def _shown(value: Any) -> str:
    text = json.dumps(value)  # in ASCII: a string may be half of a character
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
