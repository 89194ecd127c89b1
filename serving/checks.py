"""Checks of a request at the door, with errors a caller can act on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serving import signatures

if TYPE_CHECKING:
    from serving.signatures import Array, Arrays

# As TensorFlow writes them in C++.
_TYPE_NAMES = {"float32": "float", "float64": "double"}


class RequestError(ValueError):
    """A request that does not fit the signature: got, wanted, remedy."""


def check_request(name: str, specs: Mapping[str, Any], inputs: Arrays) -> None:
    """Compares inputs with the signature of the graph, then with our axes.

    Args:
        name: of the signature, for messages and for the axes.
        specs: `tf.TensorSpec` by input.
        inputs: what the request has.

    Raises:
        RequestError: naming the input.
    """
    missing, unknown = missing_and_unknown(specs, inputs)
    if missing or unknown:
        raise RequestError(_size_message(name, specs, inputs))
    for key, spec in specs.items():
        _check_type(key, sorted(specs).index(key), spec, inputs[key])
        if not spec.shape.is_compatible_with(inputs[key].shape):
            raise RequestError(
                f"{key} must have shape {spec.shape}, got {inputs[key].shape}."
            )
    signature = signatures.resolve(name)
    if signature:
        _check_axes(signature, inputs)
        _check_k(inputs)


def with_texts(name: str, specs: Mapping[str, Any], inputs: Arrays) -> Arrays:
    """Inputs with texts of events as the graph has them.

    A client need not know whether a model reads them: blank ones stand in for
    those that it did not send, and those that nothing reads are left out.

    Args:
        name: of the signature.
        specs: `tf.TensorSpec` by input.
        inputs: what the request has.
    """
    signature = signatures.resolve(name)
    for field in signature.inputs if signature else ():
        if not field.is_text:
            continue
        if field.name not in specs:
            inputs = {k: v for k, v in inputs.items() if k != field.name}
        elif field.name not in inputs:
            shape = _shape_of(signature, field.axes, inputs)
            if shape is not None:
                inputs = {**inputs, field.name: np.full(shape, "", object)}
    return inputs


def _shape_of(
    signature: signatures.Signature | None, axes: str, inputs: Arrays
) -> tuple[int, ...] | None:
    """The shape of the first input with these axes; None without one."""
    for field in signature.inputs if signature else ():
        if field.axes == axes and field.name in inputs:
            shape: tuple[int, ...] = inputs[field.name].shape
            return shape
    return None


def missing_and_unknown(
    wanted: Iterable[str], given: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Names that only one side has, sorted."""
    wanted, given = set(wanted), set(given)
    return sorted(wanted - given), sorted(given - wanted)


def _size_message(
    name: str, specs: Mapping[str, Any], inputs: Arrays
) -> str:
    """TensorFlow Serving's sentence, with the signature's name behind."""
    missing, unknown = missing_and_unknown(specs, inputs)
    return (
        f"input size does not match signature: {len(inputs)}!={len(specs)} "
        f"len({_set(inputs)}) != len({_set(specs)}). Sent extra: "
        f"{_set(unknown)}. Missing but required: {_set(missing)}. The "
        f"signature is {name}."
    )


def _set(names: Iterable[str]) -> str:
    return f"{{{','.join(sorted(names))}}}"


def _check_type(key: str, position: int, spec: Any, value: Array) -> None:
    """TensorFlow's own sentence, with the input's name behind."""
    is_string = value.dtype.kind in "OSU"
    wanted = spec.dtype.name
    if is_string and wanted == "string":
        return
    if is_string or value.dtype != spec.dtype.as_numpy_dtype:
        got = "string" if is_string else _TYPE_NAMES.get(
            value.dtype.name, value.dtype.name
        )
        raise RequestError(
            f"Expects arg[{position}] to be "
            f"{_TYPE_NAMES.get(wanted, wanted)} but {got} is provided; "
            f"the input is {key}."
        )


def _check_axes(signature: signatures.Signature, inputs: Arrays) -> None:
    """Every axis has one size in all inputs that share it; b is 1 or more."""
    sizes: dict[str, tuple[int, str]] = {}
    for field in signature.inputs:
        if field.name not in inputs:  # a text that this model does not read
            continue
        for axis, size in zip(
            field.axes, inputs[field.name].shape, strict=True
        ):
            known, first = sizes.setdefault(axis, (size, field.name))
            if known != size:
                raise RequestError(
                    f"{field.name} has shape {inputs[field.name].shape} and "
                    f"{first} {inputs[first].shape}; their axes "
                    f"[{','.join(field.axes)}] must agree in {axis}."
                )
    if sizes["b"][0] < 1:
        raise RequestError("The batch is empty; send at least one request.")


def _check_k(inputs: Arrays) -> None:
    k = inputs.get("k")
    if k is not None and (k < 0).any():
        raise RequestError(f"k must be 0 or more, got {int(k.min())}.")
