"""Codes of errors, as TensorFlow Serving has them."""

from __future__ import annotations

import grpc
import pytest

from serving import errors, status
from serving.checks import RequestError
from serving.recommender import UnknownSignatureError


@pytest.mark.parametrize(
    "error, code, http",
    [
        (errors.UnknownModelError("x"), "NOT_FOUND", 404),
        (UnknownSignatureError("x"), "FAILED_PRECONDITION", 400),
        (RequestError("x"), "INVALID_ARGUMENT", 400),
        (errors.ConfigError("x"), "FAILED_PRECONDITION", 400),
        (errors.BusyError("x"), "RESOURCE_EXHAUSTED", 429),
        (errors.DeadlineError("x"), "DEADLINE_EXCEEDED", 504),
        (errors.CancelledError("x"), "CANCELLED", 499),
    ],
)
def test_our_errors_have_their_codes_and_sentences(error, code, http):
    assert status.status_of(error) == (code, "x")
    assert status.HTTP_CODES[code] == http
    assert grpc.StatusCode[code]


def test_a_kind_of_a_known_error_has_its_code():
    class Kind(RequestError):
        pass

    assert status.status_of(Kind("x")) == ("INVALID_ARGUMENT", "x")


def test_another_error_tells_its_type_alone():
    assert status.status_of(KeyError("secret")) == (
        "INTERNAL", "The server failed with KeyError."
    )


@pytest.mark.parametrize("letter", ["a", "☕"])
def test_a_long_sentence_is_cut_to_what_grpc_can_send(letter):
    _, sentence = status.status_of(RequestError(letter * 10**6))
    assert sentence.endswith(letter + "...")
    assert 1900 < len(sentence.encode()) <= 2000
