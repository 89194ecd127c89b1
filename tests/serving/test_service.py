"""What is noted of a request, and what is not."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from serving.checks import RequestError
from serving.errors import DeadlineError
from serving.gate import Call, Gate
from serving.service import Door, Question, Service

DOOR = Door("Predict", "GRPC")
MODELS = SimpleNamespace(names=["m"], hosts=[])
ANSWER = {"y": np.ones(1)}


def question(rows=1, call=None):
    computed = []

    def predict(*arguments):
        computed.append(arguments)
        return ANSWER

    model = SimpleNamespace(version=3, predict=predict, computed=computed)
    inputs = {"ids": np.full((rows, 1), b"a-secret-id", object)}
    return Question("m", model, "s", inputs, (), call or Call())


def service(**options):
    return Service(MODELS, Gate(1, 0), **options)


def test_an_answer_is_ok_and_counted():
    asked = service()
    outcome = asked.answer(DOOR, "m", lambda: 5, Call())
    assert (outcome.code, outcome.value) == ("OK", 5)
    assert asked.metrics.requests.lines("c") == [
        'c{model_name="m",status="OK"} 1'
    ]


def test_an_error_is_a_code_and_counted_without_the_name_it_came_with():
    asked = service()

    def fail():
        raise RequestError("no")

    outcome = asked.answer(DOOR, "a-secret-name", fail)
    assert (outcome.code, outcome.message) == ("INVALID_ARGUMENT", "no")
    assert asked.metrics.requests.lines("c") == [
        'c{model_name="",status="INVALID_ARGUMENT"} 1'
    ]


def test_work_without_a_call_needs_no_turn():
    asked = service()
    with asked.gate.turn(Call()):
        assert asked.answer(DOOR, "m", lambda: 1).code == "OK"
        busy = asked.answer(DOOR, "m", lambda: 1, Call())
    assert busy.code == "RESOURCE_EXHAUSTED"


def test_too_many_rows_are_refused():
    asked = service(max_rows=2)
    assert asked.predict(question(rows=2)) == ANSWER
    with pytest.raises(RequestError, match="ids has 3 rows.*at most 2"):
        asked.predict(question(rows=3))


def test_a_question_that_is_over_is_not_computed():
    late = question(call=Call(0))
    with pytest.raises(DeadlineError):
        service().predict(late)
    assert late.recommender.computed == []


def test_requests_are_logged_only_if_that_is_asked_for(caplog):
    caplog.set_level(logging.DEBUG)
    service().predict(question())
    assert caplog.text == ""
    service(log_requests=True).predict(question())
    assert '"version": 3' in caplog.text and "a-secret-id" in caplog.text
