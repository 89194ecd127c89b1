"""What a named tensor of a signature is. Importing it costs nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt
    import tensorflow as tf

    Array = npt.NDArray[Any]
    Arrays = Mapping[str, Array]

NO_ITEM = ""  # in the place of an item, where there is none


@dataclasses.dataclass(frozen=True)
class Field:
    """One named tensor.

    Attributes:
        name: as in requests and answers.
        dtype: TensorFlow's name: string, int32, int64 or float32.
        axes: letters of `serving.signatures`, batch first.
        meaning: unit, order, and what the padding is.
        is_text: an event's own text, which only those bundles take whose
            model reads it; a request may leave it out.
        is_policy: a rule for the answer; a request may leave it out, and ""
            and 0 mean that there is none.
        low, high: legal range of a number, None for any.
        choices: legal strings, all if empty.
    """

    name: str
    dtype: str
    axes: str
    meaning: str
    is_text: bool = False
    is_policy: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_optional(self) -> bool:
        """Whether a request to a server of ours may leave it out."""
        return self.is_text or self.is_policy


@dataclasses.dataclass(frozen=True)
class Signature:
    """Named inputs and outputs of one question.

    A graph requires every input that it has. Servers of ours fill in rules of
    the policy that are not sent, and texts of events where they are read and
    not sent; they leave out texts that are not read and, in front of a bundle
    that has no such input, rules that say nothing. So one client fits all
    bundles.
    """

    name: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]


def known(fields: Iterable[Field], reads_text: bool) -> tuple[Field, ...]:
    """The fields that a bundle has.

    Args:
        fields: of the table.
        reads_text: whether its model reads the texts of events.
    """
    return tuple(f for f in fields if reads_text or not f.is_text)


def tensor_specs(
    fields: Iterable[Field], widths: Mapping[str, int] | None = None
) -> dict[str, tf.TensorSpec]:
    """`tf.function` input signature of fields, all axes free but `widths`.

    Args:
        fields: e.g. `SIGNATURES[RANK].inputs`.
        widths: sizes of axes that a model fixes, e.g. `{"s": 256}`.
    """
    import tensorflow as tf

    widths = widths or {}
    return {
        field.name: tf.TensorSpec(
            [widths.get(axis) for axis in field.axes],
            tf.dtypes.as_dtype(field.dtype),
            name=field.name,
        )
        for field in fields
    }


def blank(
    fields: Iterable[Field], sizes: Mapping[str, int]
) -> dict[str, Array]:
    """Arrays that say nothing: "" and 0 everywhere.

    Args:
        fields: e.g. `USER_INPUTS`.
        sizes: by axis, e.g. `{"b": 1, "L": 2}`; 0 for those not named.
    """
    import numpy as np

    return {
        field.name: np.full(
            [sizes.get(axis, 0) for axis in field.axes],
            NO_ITEM if field.dtype == "string" else 0,
            object if field.dtype == "string" else field.dtype,
        )
        for field in fields
    }
