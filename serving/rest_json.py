"""TensorFlow Serving's JSON of a prediction, to arrays and back.

By row, `{"instances": [{"k": 3, ...}, ...]}` gives `{"predictions": [...]}`;
by column, `{"inputs": {"k": [3], ...}}` gives `{"outputs": {...}}`.
Bytes are `{"b64": "..."}`. Sentences of errors begin as TensorFlow Serving's.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serving.checks import RequestError
from serving.json_values import array, is_base64, plain, shown
from serving.signatures import SIGNATURES

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

# Texts of events, which a request may leave out.
_OPTIONAL = {
    field.name
    for signature in SIGNATURES.values()
    for field in signature.inputs
    if field.is_optional
}
_ROWS, _COLUMNS = "instances", "inputs"


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
        lists = {key: plain(key, value) for key, value in outputs.items()}
        alone = len(lists) == 1
        if not self.by_row:
            whole = next(iter(lists.values())) if alone else lists
            return json.dumps({"outputs": whole}, ensure_ascii=False)
        rows = [
            values[0] if alone else dict(zip(lists, values, strict=True))
            for values in zip(*lists.values(), strict=True)
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
        raise RequestError(f"JSON Value: {shown(document)} Is not object")
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise RequestError(
            f"JSON Value: {shown(signature)} not formatted correctly. "
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
                f"JSON Value: {shown(rows)} Excepting '{_ROWS}' to be an "
                "list/array"
            )
        if not rows:
            raise RequestError(f"JSON Value: [] No values in '{_ROWS}' array")
        return Document(signature, True, rows)
    if _COLUMNS in document:
        return Document(signature, False, document[_COLUMNS])
    raise RequestError(f"Missing '{_COLUMNS}' or '{_ROWS}' key")


def _from_columns(values: Any, specs: Mapping[str, Any]) -> dict[str, Array]:
    if not isinstance(values, dict) or is_base64(values):
        if len(specs) != 1:
            raise RequestError(
                "inputs is a plain value/list, but expecting an object as "
                "multiple input tensors required as per tensorinfo_map"
            )
        values = {next(iter(specs)): values}
    for name in sorted(specs.keys() - values.keys() - _OPTIONAL):
        raise RequestError(f"Missing named input: {name} in 'inputs' object.")
    return {
        name: array(name, values[name], spec.dtype.name)
        for name, spec in specs.items()
        if name in values  # others are ignored, as TensorFlow Serving does
    }


def _from_rows(rows: list[Any], specs: Mapping[str, Any]) -> dict[str, Array]:
    named = isinstance(rows[0], dict) and not is_base64(rows[0])
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
