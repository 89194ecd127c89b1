"""Batches: who shares one, when it is due, and what each gets."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest
from running import Running, models_of, similar

from serving.batching import Batcher, Batching
from serving.checks import RequestError
from serving.client import Client, User
from serving.errors import BusyError, ConfigError, DeadlineError
from serving.gate import Call
from serving.service import Question

LATER = Batching(max_batch_size=4, batch_timeout_micros=20_000_000)


class Doubling:
    """Doubles x; negative ones it refuses. Notes the batches it got."""

    def __init__(self):
        self.batches, self.go = [], threading.Event()
        self.begun = threading.Semaphore(0)
        self.go.set()

    def checked(self, signature, inputs, outputs):
        return inputs

    def predict(self, signature, inputs, outputs=()):
        self.batches.append(inputs["x"].tolist())
        self.begun.release()
        self.go.wait(20)
        if (inputs["x"] < 0).any():
            raise RequestError("x is negative")
        return {"y": inputs["x"] * 2}


class Asking:
    """A question in a thread of its own."""

    def __init__(self, batcher, model, *values, signature="double", call=None):
        inputs = {"x": np.array(values)}
        question = Question("m", model, signature, inputs, (), call or Call())
        self._work = batcher, question
        self.answer = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        batcher, question = self._work
        try:
            self.answer = batcher.predict(question)["y"].tolist()
        except Exception as error:
            self.answer = error

    def get(self):
        self._thread.join(20)
        return self.answer


def test_a_full_batch_is_one_call_and_each_gets_its_rows():
    model, batcher = Doubling(), Batcher(LATER)
    asked = [Asking(batcher, model, *v) for v in ([1], [2, 3], [4])]
    assert [each.get() for each in asked] == [[2], [4, 6], [8]]
    assert [sorted(batch) for batch in model.batches] == [[1, 2, 3, 4]]


def test_a_batch_that_nobody_joins_is_computed_when_its_time_is_over():
    model = Doubling()
    batcher = Batcher(dataclasses.replace(LATER, batch_timeout_micros=30_000))
    assert Asking(batcher, model, 1).get() == [2]
    assert model.batches == [[1]]


def test_while_the_threads_compute_requests_gather():
    model = Doubling()
    batcher = Batcher(Batching(max_batch_size=8, num_batch_threads=1))
    model.go.clear()
    first = Asking(batcher, model, 1)
    model.begun.acquire(timeout=20)
    others = [Asking(batcher, model, value) for value in (2, 3, 4)]
    wait_for_tasks(batcher, 3)
    model.go.set()
    answers = [each.get() for each in (first, *others)]
    assert answers == [[2], [4], [6], [8]]
    assert [len(batch) for batch in model.batches] == [1, 3]


def test_other_signatures_and_versions_are_not_joined():
    model, newer = Doubling(), Doubling()
    batcher = Batcher(
        dataclasses.replace(LATER, batch_timeout_micros=100_000)
    )
    asked = [
        Asking(batcher, model, 1),
        Asking(batcher, model, 2, signature="twice"),
        Asking(batcher, newer, 3),
    ]
    assert [each.get() for each in asked] == [[2], [4], [6]]
    assert sorted(model.batches) == [[1], [2]] and newer.batches == [[3]]


def test_a_bad_request_does_not_spoil_its_neighbours():
    model, batcher = Doubling(), Batcher(LATER)
    good, bad = Asking(batcher, model, 1, 2, 3), Asking(batcher, model, -1)
    assert good.get() == [2, 4, 6]
    assert isinstance(bad.get(), RequestError)


def test_more_batches_than_may_wait_are_refused():
    model = Doubling()
    batcher = Batcher(
        Batching(max_batch_size=1, max_enqueued_batches=1, num_batch_threads=1)
    )
    model.go.clear()
    first = Asking(batcher, model, 1)
    model.begun.acquire(timeout=20)
    second = Asking(batcher, model, 2)
    wait_for_tasks(batcher, 1)
    third = Asking(batcher, model, 3).get()
    assert isinstance(third, BusyError) and "is full" in str(third)
    model.go.set()
    assert (first.get(), second.get()) == ([2], [4])


def test_a_request_past_its_deadline_is_not_computed():
    model = Doubling()
    batcher = Batcher(Batching(max_batch_size=8, num_batch_threads=1))
    model.go.clear()
    first = Asking(batcher, model, 1)
    model.begun.acquire(timeout=20)
    late = Asking(batcher, model, 2, call=Call(0.05))
    patient = Asking(batcher, model, 3)
    assert isinstance(late.get(), DeadlineError)
    model.go.set()
    assert (first.get(), patient.get()) == ([2], [6])
    assert model.batches == [[1], [3]]


def test_a_request_larger_than_a_batch_is_refused():
    with_five = Asking(Batcher(LATER), Doubling(), 1, 2, 3, 4, 5).get()
    assert isinstance(with_five, RequestError)
    assert "Task size 5 is larger" in str(with_five)


def wait_for_tasks(batcher, count):
    end = threading.Event()
    for _ in range(2000):
        waiting = batcher._queue._waiting
        if sum(len(batch.tasks) for batch in waiting) == count:
            return
        end.wait(0.01)
    raise AssertionError("the requests never came")


def test_parameters_are_read(tmp_path):
    path = tmp_path / "batching"
    path.write_text(
        "max_batch_size { value: 64 } batch_timeout_micros { value: 500 }\n"
        "num_batch_threads { value: 2 } pad_variable_length_inputs: true"
    )
    assert Batching.read(path) == Batching(
        64, 500, Batching().max_enqueued_batches, 2, pads=True
    )


@pytest.mark.parametrize(
    "text, message",
    [
        ("max_batch_size { value: 0 }", "max_batch_size must be 1 or more"),
        ("batch_timeout_micros { value: -1 }", "must be 0 or more, got -1"),
        ("allowed_batch_sizes: 4", "allowed_batch_sizes has no use"),
        ("max_batch_size: 4", "is no text proto of BatchingParameters"),
    ],
)
def test_parameters_that_cannot_be_are_refused(tmp_path, text, message):
    path = tmp_path / "batching"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        Batching.read(path)


def test_a_real_model_answers_in_batches_as_it_does_alone(exact_dir, oracle):
    batching = Batching(
        max_batch_size=64, batch_timeout_micros=20_000, pads=True
    )
    server = Running(
        models_of(exact_dir.parent), compute=Batcher(batching).predict
    )
    histories = [oracle.ids[n : n + n % 4] for n in range(12)]
    answers = [None] * len(histories)

    def ask(number):
        with Client(server.target, retries=None) as client:
            user = User(history=histories[number])
            answers[number] = client.recommend(user, k=1 + number % 5)

    threads = [
        threading.Thread(target=ask, args=(n,)) for n in range(len(histories))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert server.predict(similar())[0] == 200
    server.stop()
    for number, history in enumerate(histories):
        wanted = oracle.recommend(history, 1 + number % 5)
        found = [(a.item_id, a.score) for a in answers[number]]
        assert [item for item, _ in found] == [item for item, _ in wanted]
        np.testing.assert_allclose(
            [s for _, s in found], [s for _, s in wanted], atol=1e-5
        )
