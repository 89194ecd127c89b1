"""Names, types and axes of everything that a bundle answers.

The exporter, the ScaNN twin, the server and the client all read this table;
a signature exists for them because it stands here. Importing it costs nothing.

Axes, one letter each:
    b  requests of a batch.
    L  events of a history, 0 or more, oldest first; shorter histories are
       padded with "" anywhere in the row.
    X  excluded ids, 0 or more, padded with "".
    C  candidates of a request, padded with "".
    K  answers: the greatest k of the batch, at most the catalogue's size.
    d  width of a query and of an item vector.
    s  width of a user state.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from schema import features

if TYPE_CHECKING:
    import numpy.typing as npt
    import tensorflow as tf

    Array = npt.NDArray[Any]
    Arrays = Mapping[str, Array]

RECOMMEND = "recommend"
RANK = "rank"
EMBED_USER = "embed_user"
EMBED_ITEM = "embed_item"
SIMILAR_ITEMS = "similar_items"
ADVANCE = "advance"
EXPLAIN = "explain"
# What TensorFlow Serving runs when a request names no signature: RECOMMEND.
DEFAULT_SIGNATURE = "serving_default"

EXACT = "exact"
SCANN = "scann"
NO_ITEM = ""  # in the place of an item, where there is none


@dataclasses.dataclass(frozen=True)
class Field:
    """One named tensor.

    Attributes:
        name: as in requests and answers.
        dtype: TensorFlow's name: string, int32, int64 or float32.
        axes: letters of the module's docstring, batch first.
        meaning: unit, order, and what the padding is.
        is_text: an event's own text, which only those bundles take whose
            model reads it; a request may leave it out.
    """

    name: str
    dtype: str
    axes: str
    meaning: str
    is_text: bool = False


@dataclasses.dataclass(frozen=True)
class Signature:
    """Named inputs and outputs of one question.

    A graph requires every input that it has. Servers of ours fill in texts of
    events where they are read and not sent, and leave them out where they are
    sent and not read, so that one client fits all bundles.
    """

    name: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]


USER_INPUTS = (
    Field("history_item_ids", "string", "bL", 'oldest first, "" is padding'),
    Field("history_event_types", "string", "bL", '"" is the default type'),
    Field("history_timestamps", "int64", "bL", "unix seconds, 0 is unknown"),
    Field("history_scenarios", "string", "bL", '"" is unknown'),
    Field(
        "history_texts", "string", "bL", 'comment or query, "" is none',
        is_text=True,
    ),
    Field(
        features.SCENARIO, "string", "b", '"" or an unknown one is the default'
    ),
    Field("profile_text", "string", "b", '"" where nothing is known'),
)
ITEM_INPUTS = tuple(
    Field(name, "string", "b", '"" where missing')
    for name in features.ITEM_TEXT_COLUMNS
)
_K = Field("k", "int32", "b", "answers wanted, 0 or more")
_ITEM_ID = Field(features.ITEM_ID, "string", "b", "of the catalogue")
_STATE = Field("state", "float32", "bs", "all that is known of a user")
_QUERY = Field("query", "float32", "bd", "score = query . item vector")
_ANSWERS = (
    Field("item_ids", "string", "bK", '"" where fewer than k are admissible'),
    Field("scores", "float32", "bK", "descending; -inf where there is no item"),
    Field("titles", "string", "bK", '"" where there is none'),
)

_ALL = (
    Signature(
        RECOMMEND,
        (
            *USER_INPUTS,
            Field("exclude_item_ids", "string", "bX", "never answered"),
            _K,
        ),
        (
            *_ANSWERS,
            Field("source", "string", "bK", 'the search: "exact" or "scann"'),
        ),
    ),
    Signature(
        RANK,
        (*USER_INPUTS, Field("candidate_item_ids", "string", "bC", "")),
        (Field("scores", "float32", "bC", "-inf for unknown ids"),),
    ),
    Signature(EMBED_USER, USER_INPUTS, (_QUERY, _STATE)),
    Signature(
        EMBED_ITEM,
        ITEM_INPUTS,
        (Field("vector", "float32", "bd", "unit length"),),
    ),
    Signature(
        SIMILAR_ITEMS,
        (Field("item_ids", "string", "b", "unknown: no answers"), _K),
        _ANSWERS,
    ),
    Signature(
        ADVANCE,
        (
            _STATE,
            _ITEM_ID,
            Field(features.EVENT_TYPE, "string", "b", '"" is the default type'),
            Field(
                features.TIMESTAMP, "int64", "b", "unix seconds, 0 is unknown"
            ),
            Field(features.SCENARIO, "string", "b", '"" is the default'),
            Field(
                features.TEXT, "string", "b", 'comment or query, "" is none',
                is_text=True,
            ),
        ),
        (_STATE, _QUERY),
    ),
    Signature(
        EXPLAIN,
        (*USER_INPUTS, _ITEM_ID),
        (
            Field("contributions", "float32", "bL", "of each event to score"),
            Field("score", "float32", "b", "of the item"),
        ),
    ),
)
SIGNATURES: Mapping[str, Signature] = {
    signature.name: signature for signature in _ALL
}


def resolve(name: str) -> Signature | None:
    """The signature that a request's name means, None if it is not ours."""
    return SIGNATURES.get(RECOMMEND if name == DEFAULT_SIGNATURE else name)


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
        sizes: of every axis that occurs, e.g. `{"b": 1, "L": 0}`.
    """
    import numpy as np

    return {
        field.name: np.full(
            [sizes[axis] for axis in field.axes],
            NO_ITEM if field.dtype == "string" else 0,
            object if field.dtype == "string" else field.dtype,
        )
        for field in fields
    }


def as_json(
    reads_text: bool = False,
) -> dict[str, dict[str, dict[str, str]]]:
    """All signatures for the manifest: `string[b,L]` by side and name.

    Args:
        reads_text: whether the bundle's model reads the texts of events.
    """
    return {
        signature.name: {
            side: {
                field.name: f"{field.dtype}[{','.join(field.axes)}]"
                for field in known(fields, reads_text)
            }
            for side, fields in (
                ("inputs", signature.inputs),
                ("outputs", signature.outputs),
            )
        }
        for signature in _ALL
    }
