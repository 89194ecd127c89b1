"""Inputs of a request from `tf.train.Example`s, without TensorFlow.

Who keeps behaviour as Examples asks with them: a feature per input, called as
the input is. `client.predict("recommend", inputs("recommend", [serialized]))`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError

from serving import signatures, wire

if TYPE_CHECKING:
    from serving.fields import Array, Field

_PACKAGE = "interest_towers.example"
_MESSAGES: wire.Messages = {
    "BytesList": (("value", 1, "*bytes"),),
    "FloatList": (("value", 1, "*float"),),
    "Int64List": (("value", 1, "*int64"),),
    "Feature": (
        ("bytes_list", 1, "BytesList"),
        ("float_list", 2, "FloatList"),
        ("int64_list", 3, "Int64List"),
    ),
    "Entry": (("key", 1, "string"), ("value", 2, "Feature")),
    "Features": (("feature", 1, "*Entry"),),
    "Example": (("features", 1, "Features"),),
}
_LISTS = {
    "string": "bytes_list",
    "float32": "float_list",
    "int32": "int64_list",
    "int64": "int64_list",
}

Features = Mapping[str, Any]


def inputs(signature: str, examples: Sequence[bytes]) -> dict[str, Array]:
    """A batch with a row per Example.

    Args:
        signature: e.g. "recommend".
        examples: serialized; histories may differ in length. Features that
            no input is called by are ignored; strings may be missing, and so
            may all of a history but its item ids.

    Raises:
        ValueError: naming signature, Example and feature that do not fit.
    """
    known = signatures.resolve(signature)
    if known is None:
        raise ValueError(
            f"There is no signature {signature!r}; there are "
            f"{', '.join(sorted(signatures.SIGNATURES))}."
        )
    rows = [_features(number, each) for number, each in enumerate(examples)]
    if not rows:
        raise ValueError("A batch needs at least one Example.")
    reads_text = any(
        field.is_text and field.name in row
        for field in known.inputs
        for row in rows
    )
    result = {}
    for field in signatures.known(known.inputs, reads_text):
        sizes = [_size(known.inputs, field, row) for row in rows]
        result[field.name] = _column(field, rows, sizes)
    return result


def _features(number: int, example: bytes) -> Features:
    try:
        message = wire.message_class(_pool(), f"{_PACKAGE}.Example").FromString(
            example
        )
    except DecodeError as error:
        raise ValueError(f"Example {number} is no tf.train.Example.") from error
    return {entry.key: entry.value for entry in message.features.feature}


def _size(
    fields: Sequence[Field], wanted: Field, row: Features
) -> int | None:
    """Of a field's second axis in a row, by the first feature that has it."""
    if len(wanted.axes) == 1:
        return None
    for field in fields:
        if field.axes == wanted.axes and field.name in row:
            return len(_values(field, row))
    return 0


def _column(
    field: Field, rows: Sequence[Features], sizes: Sequence[int | None]
) -> Array:
    shape = {axis: len(rows) for axis in field.axes[:1]}
    shape |= {axis: max(s or 0 for s in sizes) for axis in field.axes[1:]}
    array = signatures.blank((field,), shape)[field.name]
    for number, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        values = _values(field, row)
        may_be_missing = field.dtype == "string" or field.is_policy
        if not values and (may_be_missing or size is not None):
            continue
        if len(values) != (1 if size is None else size):
            raise ValueError(
                f"Example {number}: {field.name} has {len(values)} values of "
                f"{field.dtype}, wanted {1 if size is None else size}."
            )
        if size is None:
            array[number] = values[0]
        else:
            array[number, :size] = list(values)
    return array


def _values(field: Field, row: Features) -> Any:
    """A feature's values in the list of its type; none if it is missing."""
    if field.name not in row:
        return ()
    return getattr(row[field.name], _LISTS[field.dtype]).value


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    return wire.pool_of(_PACKAGE, _MESSAGES)
