"""Requests that come when they come, whether or not the server keeps up.

An open loop: moments are drawn beforehand, exponentially, and a latency counts
from the moment at which its request was due, so that requests that wait for
their turn here count as waiting users do.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import multiprocessing
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import grpc

from benchmarks.serving import questions
from benchmarks.serving.launched import Launched
from benchmarks.serving.questions import Question, View
from serving import transport

OK = "OK"
REFUSED = frozenset({"RESOURCE_EXHAUSTED", "429"})
_TIMEOUT_S = 30.0
_MODEL = "recommender"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Attributes:
        due: when it should have been sent, by `time.monotonic`.
        seconds: from then until the answer.
        code: OK, or another of gRPC's or HTTP's.
        fault: what is wrong with the answer; "" if nothing, or none came.
    """

    due: float
    seconds: float
    code: str
    fault: str


class Asker:
    """Asks one server random questions; safe to call from many threads.

    Args:
        launched: the server.
        every: to choose from.
        view: tells what is out of the catalogue.
        rest_share: of the requests that go to the REST port.
    """

    def __init__(
        self,
        launched: Launched,
        every: Sequence[Question],
        view: Callable[[], View],
        rest_share: float = 0.1,
    ) -> None:
        self._view, self._rest_share = view, rest_share
        self._every = [
            (each, questions.message(each, _MODEL),
             json.dumps(questions.as_json(each)).encode())
            for each in every
        ]
        self._channel = transport.channel(launched.target, None, None)
        self._predict = transport.predict_method(self._channel)
        self._rest_target = launched.rest_target
        self._own = threading.local()

    def __call__(self, due: float, draw: random.Random) -> Outcome:
        """Asks one question now."""
        question, message, body = draw.choice(self._every)
        before = self._view()
        is_rest = draw.random() < self._rest_share
        code, answer = self._rest(body) if is_rest else self._grpc(message)
        done = time.monotonic()
        if code == OK and not isinstance(answer, dict):
            # REST names no output that is alone.
            answer = dict.fromkeys(question.expected, answer)
        fault = ""
        if code == OK:
            fault = question.fault(answer, before, self._view())
            if fault:
                fault = f"{question.signature}: {fault}"
        return Outcome(due, done - due, code, fault)

    def close(self) -> None:
        """Lets the connection go."""
        self._channel.close()

    def _grpc(self, message: Any) -> tuple[str, Any]:
        try:
            answer = self._predict(message, timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            return error.code().name, None
        return OK, transport.predict_outputs(answer)

    def _rest(self, body: bytes) -> tuple[str, Any]:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(
                self._rest_target, timeout=_TIMEOUT_S
            )
        try:
            connection.request("POST", f"/v1/models/{_MODEL}:predict", body)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return type(error).__name__, None
        if response.status != 200:
            return str(response.status), None
        return OK, json.loads(content)["outputs"]


def closed_loop(ask: Asker, clients: int, seconds: float) -> list[Outcome]:
    """Each client asks as soon as it is answered: what a server can do."""
    until = time.monotonic() + seconds
    found: list[Outcome] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        while (now := time.monotonic()) < until:
            found.append(ask(now, draw))

    in_threads(work, clients)
    return found


@dataclasses.dataclass(frozen=True)
class Load:
    """How requests come in an open loop.

    Attributes:
        rate: requests a second, on average.
        seconds: how long they come.
        workers: most requests in flight; those beyond wait here, and their
            waiting counts.
        seed: of what is drawn.
    """

    rate: float
    seconds: float
    workers: int
    seed: int

    def parts(self, count: int) -> list[Load]:
        """The same load from several sides at once."""
        return [
            Load(
                self.rate / count, self.seconds, self.workers // count,
                self.seed * count + number,
            )
            for number in range(count)
        ]


def open_loop(ask: Asker, load: Load) -> list[Outcome]:
    """Asks when requests are due, whatever is answered."""
    moments: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    found: list[Outcome] = []

    def work(number: int) -> None:
        draw = random.Random(f"{load.seed} {number}")
        while (due := moments.get()) is not None:
            found.append(ask(due, draw))

    def dispatch() -> None:
        draw = random.Random(load.seed)
        due = time.monotonic()
        until = due + load.seconds
        while (due := due + draw.expovariate(load.rate)) < until:
            time.sleep(max(0.0, due - time.monotonic()))
            moments.put(due)
        for _ in range(load.workers):
            moments.put(None)

    dispatcher = threading.Thread(target=dispatch)
    dispatcher.start()
    in_threads(work, load.workers)
    dispatcher.join()
    return found


def open_loop_of_many(
    launched: Launched,
    every: Sequence[Question],
    view: View,
    load: Load,
    processes: int,
) -> list[Outcome]:
    """`open_loop` from several processes, for more than one can ask.

    Args:
        launched, every: what is asked.
        view: what is out of the catalogue, all the time.
        load: of all processes together.
        processes: that share it.
    """
    context = multiprocessing.get_context("spawn")  # gRPC bears no fork
    with ProcessPoolExecutor(processes, context) as pool:
        parts = [
            pool.submit(_open_loop_alone, launched, every, view, part)
            for part in load.parts(processes)
        ]
        return [outcome for part in parts for outcome in part.result()]


def _open_loop_alone(
    launched: Launched, every: Sequence[Question], view: View, load: Load
) -> list[Outcome]:
    with contextlib.closing(Asker(launched, every, lambda: view)) as ask:
        return open_loop(ask, load)


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Does `work(0)`, `work(1)`, ... at once, and waits for all."""
    threads = [
        threading.Thread(target=work, args=(number,)) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
