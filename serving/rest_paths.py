"""Which model and method a path of TensorFlow Serving's REST API names."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import unquote_to_bytes

from serving.checks import RequestError
from serving.models import ModelSpec

_MODEL = r"/v1/models/(?P<name>[^/:]+)"
_WHICH = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_METHODS = {
    "POST": re.compile(
        f"{_MODEL}{_WHICH}:(?P<method>classify|regress|predict)",
        re.ASCII | re.IGNORECASE,
    ),
    "GET": re.compile(
        f"{_MODEL}{_WHICH}(?:/(?P<method>metadata))?",
        re.ASCII | re.IGNORECASE,
    ),
}
STATUS, METADATA, PREDICT = "status", "metadata", "predict"
_MAX_VERSION = 2**63 - 1


@dataclasses.dataclass(frozen=True)
class Target:
    """What a request is about.

    Attributes:
        method: "status", "metadata", "predict", "classify" or "regress".
        spec: the model asked for. Its name is only ever compared with the
            names in service, never made a path of.
    """

    method: str
    spec: ModelSpec


def parse(http_method: str, path: str) -> Target:
    """Reads a path.

    Args:
        http_method: "GET" or "POST".
        path: still percent-encoded, without the query.

    Raises:
        RequestError: if it is none of the API's.
    """
    pattern = _METHODS.get(http_method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise RequestError(f"Malformed request: {http_method} {path}")
    version = match["version"]
    # The digits are counted first: a long number costs time to read.
    if version and (len(version) > 19 or int(version) > _MAX_VERSION):
        raise RequestError(
            f"Failed to convert version: {version} to numeric."
        )
    return Target(
        (match["method"] or STATUS).lower(),
        ModelSpec(
            _decoded(match["name"]),
            int(version) if version else None,
            _decoded(match["label"] or ""),
        ),
    )


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
