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
import os
import pickle
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
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
        waited: of these seconds those that passed before it was sent.
    """

    due: float
    seconds: float
    code: str
    fault: str
    waited: float = 0.0


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
        sent = time.monotonic()
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
        return Outcome(due, done - due, code, fault, sent - due)

    def close(self) -> None:
        """Lets the connection go."""
        self._channel.close()

    def _grpc(self, message: bytes) -> tuple[str, Any]:
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


@dataclasses.dataclass(frozen=True)
class Load:
    """How requests come.

    Attributes:
        rate: requests a second, on average; None: each worker asks as soon as
            it is answered, which is what a server can do.
        seconds: how long they come.
        workers: most requests in flight; those beyond wait here, and their
            waiting counts.
        seed: of what is drawn.
    """

    rate: float | None
    seconds: float
    workers: int
    seed: int

    def parts(self, count: int) -> list[Load]:
        """The same load from several sides at once."""
        return [
            Load(
                self.rate and self.rate / count, self.seconds,
                self.workers // count, self.seed * count + number,
            )
            for number in range(count)
        ]


def ask_all(ask: Asker, load: Load) -> list[Outcome]:
    """Asks when requests are due, whatever is answered."""
    moments: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    found: list[Outcome] = []
    until = time.monotonic() + load.seconds

    def work(number: int) -> None:
        draw = random.Random(f"{load.seed} {number}")
        while (due := moments.get()) is not None:
            found.append(ask(due, draw))
            if load.rate is None:
                now = time.monotonic()
                moments.put(now if now < until else None)

    def dispatch(rate: float) -> None:
        draw = random.Random(load.seed)
        due = time.monotonic()
        while (due := due + draw.expovariate(rate)) < until:
            time.sleep(max(0.0, due - time.monotonic()))
            moments.put(due)
        for _ in range(load.workers):
            moments.put(None)

    if load.rate is None:
        for _ in range(load.workers):
            moments.put(time.monotonic())
        in_threads(work, load.workers)
        return found
    dispatcher = threading.Thread(target=dispatch, args=(load.rate,))
    dispatcher.start()
    in_threads(work, load.workers)
    dispatcher.join()
    return found


class Board:
    """What is out of the catalogue, told to other processes by a file.

    Args:
        path: of the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[object, View] = (None, View())

    def tell(self, view: View) -> None:
        """Lets every process know, before it returns."""
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(pickle.dumps(view))
        os.replace(fresh, self._path)

    def __call__(self) -> View:
        """What was told last."""
        if not self._path.exists():
            return View()
        stat = self._path.stat()
        state = (stat.st_ino, stat.st_mtime_ns)
        if state != self._read[0]:
            self._read = (state, pickle.loads(self._path.read_bytes()))
        return self._read[1]


def ask_from_many(
    launched: Launched,
    every: Sequence[Question],
    board: Path,
    load: Load,
    processes: int,
) -> list[Outcome]:
    """`ask_all` from several processes, for more than one can ask.

    Args:
        launched, every: what is asked.
        board: file of a `Board` that says what is out of the catalogue.
        load: of all processes together.
        processes: that share it.
    """
    context = multiprocessing.get_context("spawn")  # gRPC bears no fork
    with ProcessPoolExecutor(processes, context) as pool:
        parts = [
            pool.submit(_ask_alone, launched, every, board, part)
            for part in load.parts(processes)
        ]
        return [outcome for part in parts for outcome in part.result()]


def _ask_alone(
    launched: Launched, every: Sequence[Question], board: Path, load: Load
) -> list[Outcome]:
    with contextlib.closing(Asker(launched, every, Board(board))) as ask:
        return ask_all(ask, load)


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Does `work(0)`, `work(1)`, ... at once, and waits for all."""
    threads = [
        threading.Thread(target=work, args=(number,)) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
