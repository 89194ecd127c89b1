"""What each error is called on the wire: one table for gRPC and REST.

Codes are the canonical ones, and an error gets the code and the sentence that
TensorFlow Serving has for it, since its clients look at both.
"""

from __future__ import annotations

from serving.checks import RequestError
from serving.errors import (
    BusyError,
    CancelledError,
    ConfigError,
    DeadlineError,
    UnknownModelError,
)
from serving.recommender import UnknownSignatureError

OK = "OK"
# gRPC sends the sentence in 8 kB of metadata, a byte that is not ASCII as
# three: a longer one would itself be an error.
_MAX_BYTES = 2000
_INTERNAL = "INTERNAL"
HTTP_CODES = {
    OK: 200,
    "CANCELLED": 499,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
_CODES: dict[type[Exception], str] = {
    UnknownModelError: "NOT_FOUND",
    UnknownSignatureError: "FAILED_PRECONDITION",
    ConfigError: "FAILED_PRECONDITION",
    RequestError: "INVALID_ARGUMENT",
    BusyError: "RESOURCE_EXHAUSTED",
    DeadlineError: "DEADLINE_EXCEEDED",
    CancelledError: "CANCELLED",
}


def status_of(error: Exception) -> tuple[str, str]:
    """Code and sentence for the caller.

    An unforeseen fault must reach neither the next request nor, with what it
    may say of this one, another's screen: its sentence has its type alone.
    """
    for kind in type(error).__mro__:
        if kind in _CODES:
            return _CODES[kind], _cut(str(error))
    return _INTERNAL, f"The server failed with {type(error).__name__}."


def _cut(sentence: str) -> str:
    content = sentence.encode("utf-8", "replace")
    if len(content) <= _MAX_BYTES:
        return sentence
    return content[: _MAX_BYTES - 3].decode("utf-8", "ignore") + "..."
