"""Checks of a request at the door, with errors a caller can act on."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from serving import signatures

if TYPE_CHECKING:
    from serving.fields import Array, Arrays, Field, Signature

_NOTHING = np.zeros(0)
_REMEDIES = {
    "state": " If another model made it, make it anew with embed_user from "
    "the history of the user."
}

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
        _check_type(key, specs, inputs[key])
        if not _fits(inputs[key].shape, _sizes_of(spec.shape)):
            raise RequestError(
                f"{key} must have shape {spec.shape}, got {inputs[key].shape}."
                f"{_REMEDIES.get(key, '')}"
            )
    signature = signatures.resolve(name)
    if signature:
        _check_axes(signature, inputs)
        for field in signature.inputs:
            if field.name in inputs:
                _check_values(field, inputs[field.name])


def with_optional(
    name: str, specs: Mapping[str, Any], inputs: Arrays
) -> Arrays:
    """Inputs with those that a request may leave out as the graph has them.

    A client need not know what a model reads: blank ones stand in for those
    that it did not send. Texts that nothing reads are left out, and so are
    rules of a policy that say nothing; a rule that a bundle cannot keep stays,
    so that the request is refused.

    Args:
        name: of the signature.
        specs: `tf.TensorSpec` by input.
        inputs: what the request has.
    """
    signature = signatures.resolve(name)
    fields = signature.inputs if signature else ()
    sizes = _sizes(fields, inputs)
    for field in fields:
        if not field.is_optional:
            continue
        if field.name not in specs:
            if field.is_text or not inputs.get(field.name, _NOTHING).any():
                inputs = {k: v for k, v in inputs.items() if k != field.name}
        elif field.name not in inputs and "b" in sizes:
            inputs = {**inputs, **signatures.blank((field,), sizes)}
    return inputs


def _sizes(fields: Iterable[Field], inputs: Arrays) -> dict[str, int]:
    """Sizes of axes, each by the first input that has it."""
    sizes: dict[str, int] = {}
    for field in fields:
        if field.name in inputs:
            shape = inputs[field.name].shape
            for axis, size in zip(field.axes, shape, strict=False):
                sizes.setdefault(axis, size)
    return sizes


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


def _check_type(key: str, specs: Mapping[str, Any], value: Array) -> None:
    """TensorFlow's own sentence, with the input's name behind."""
    dtype = specs[key].dtype
    if value.dtype == dtype.as_numpy_dtype:
        return
    is_string = value.dtype.kind in "OSU"
    wanted = dtype.name
    if is_string and wanted == "string":
        return
    got = "string" if is_string else value.dtype.name
    raise RequestError(
        f"Expects arg[{sorted(specs).index(key)}] to be "
        f"{_TYPE_NAMES.get(wanted, wanted)} but "
        f"{_TYPE_NAMES.get(got, got)} is provided; the input is {key}."
    )


@functools.lru_cache(1024)
def _sizes_of(shape: Any) -> tuple[int | None, ...] | None:
    """Of a TensorShape, which is slow to compare; None of any rank."""
    return None if shape.rank is None else tuple(shape.as_list())


def _fits(
    shape: tuple[int, ...], wanted: tuple[int | None, ...] | None
) -> bool:
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(
        size in (None, found)
        for size, found in zip(wanted, shape, strict=True)
    )


def _check_axes(signature: Signature, inputs: Arrays) -> None:
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


def _check_values(field: Field, values: Array) -> None:
    """Compares values with the range or the choices of their field."""
    if field.choices:
        found = {_decoded(value) for value in values.flat}
        unknown = sorted(found - set(field.choices))
        if unknown:
            raise RequestError(
                f"{field.name} must be one of "
                f"{', '.join(map(repr, field.choices))}, got {unknown[0]!r}."
            )
    if field.low is None:
        return
    high = math.inf if field.high is None else field.high
    for value in values.ravel().tolist():
        # "Not within" and not "outside": NaN is refused too.
        if not field.low <= value <= high:
            most = "or more" if field.high is None else f"to {field.high:g}"
            raise RequestError(
                f"{field.name} must be {field.low:g} {most}, got {value:g}."
            )


def _decoded(value: Any) -> str:
    is_bytes = isinstance(value, bytes)
    return value.decode("utf-8", "replace") if is_bytes else str(value)
