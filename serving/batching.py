"""Merges requests that come together into one call of the graph.

A graph has costs per call, and a request alone uses little of a machine. So
requests of one signature of one version wait a moment for each other, are
joined along the batch, and each gets its rows of the answer. Off by default:
a wait is a wait. Parameters are TensorFlow Serving's.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from serving import config_files, merging
from serving.checks import RequestError
from serving.errors import (
    BusyError,
    CancelledError,
    ConfigError,
    DeadlineError,
)
from serving.service import Question, alone

if TYPE_CHECKING:
    from serving.fields import Array

_COUNTS = (
    "max_batch_size",
    "max_enqueued_batches",
    "num_batch_threads",
    "batch_timeout_micros",
)


@dataclasses.dataclass(frozen=True)
class Batching:
    """When a batch is complete, and how many may wait.

    Attributes:
        max_batch_size: rows of one call (TensorFlow Serving's default, 1000,
            lets that many requests wait for a turn).
        batch_timeout_micros: that the first request of a batch waits for
            others.
        max_enqueued_batches: that wait for a thread; further requests are
            refused.
        num_batch_threads: batches computed at the same time.
        pads: whether histories of different lengths may be joined.
    """

    max_batch_size: int = 128
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 4
    pads: bool = False

    def __post_init__(self) -> None:
        for name in _COUNTS:
            least = 0 if name == "batch_timeout_micros" else 1
            if getattr(self, name) < least:
                raise ConfigError(
                    f"{name} must be {least} or more, got "
                    f"{getattr(self, name)}."
                )

    @classmethod
    def read(cls, path: Path) -> Batching:
        """From a text proto of BatchingParameters.

        Raises:
            ConfigError: if it is none, or its values cannot be.
        """
        file = config_files.read(path, "BatchingParameters")
        if file.allowed_batch_sizes:
            raise ConfigError(
                f"{path}: allowed_batch_sizes has no use here, since a graph "
                "takes batches of any size; leave it out."
            )
        given = {
            name: getattr(file, name).value
            for name in _COUNTS
            if file.HasField(name)
        }
        return cls(**given, pads=file.pad_variable_length_inputs)


class Batcher:
    """Answers questions in batches, in threads of its own.

    Args:
        batching: when a batch is complete.
    """

    def __init__(self, batching: Batching) -> None:
        self._batching = batching
        self._queue = _BatchQueue(batching)
        for number in range(batching.num_batch_threads):
            threading.Thread(
                target=self._work, name=f"batch-{number}", daemon=True
            ).start()

    def predict(self, question: Question) -> dict[str, Array]:
        """Outputs by name, as if the question had been asked alone.

        Raises:
            BusyError: if too many batches wait.
            CancelledError, DeadlineError: if there is no answer in time.
            RequestError: if it does not fit the signature, or a batch.
        """
        inputs = question.recommender.checked(
            question.signature, question.inputs, question.outputs
        )
        task = _Task(dataclasses.replace(question, inputs=inputs))
        if task.rows > self._batching.max_batch_size:
            raise RequestError(
                f"Task size {task.rows} is larger than maximum input batch "
                f"size {self._batching.max_batch_size}"
            )
        self._queue.put(task)
        question.call.wait(task.woken)
        return task.result()

    def _work(self) -> None:
        while True:
            _answer(self._queue.take())


class _Task:
    """A question in a batch, and its answer once there is one."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.rows = merging.rows(question)
        self.woken = threading.Event()  # by the answer, or by its caller
        self._result: dict[str, Array] | Exception | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
        try:
            self.question.call.check()
        except (CancelledError, DeadlineError):
            return False
        return True

    def finish(self, result: dict[str, Array] | Exception) -> None:
        self._result = result
        self.woken.set()

    def result(self) -> dict[str, Array]:
        if isinstance(self._result, Exception):
            raise self._result
        if self._result is None:
            self.question.call.check()
            raise DeadlineError("Deadline exceeded before the answer.")
        return self._result


def _answer(tasks: Sequence[_Task]) -> None:
    """Answers those that are still wanted, together if that goes well."""
    tasks = [task for task in tasks if task.is_wanted]
    answer = _answer_alone if len(tasks) == 1 else _answer_together
    answer(tasks)


def _answer_alone(tasks: Sequence[_Task]) -> None:
    for task in tasks:
        try:
            task.finish(alone(task.question))
        except Exception as error:  # raised again where it is waited for
            task.finish(error)


def _answer_together(tasks: Sequence[_Task]) -> None:
    try:
        answers = _together([task.question for task in tasks])
    except Exception:  # may be the fault of one: each gets its own
        _answer_alone(tasks)
        return
    for task, answer in zip(tasks, answers, strict=True):
        task.finish(answer)


def _together(questions: Sequence[Question]) -> list[dict[str, Array]]:
    first = questions[0]
    outputs = first.recommender.predict(
        first.signature, merging.joined(questions)
    )
    return merging.parted(outputs, questions)


class _Batch:
    """Tasks of one key, and when they are to be computed."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.tasks: list[_Task] = []

    @property
    def rows(self) -> int:
        return sum(task.rows for task in self.tasks)


class _BatchQueue:
    """Batches that wait for a thread, the oldest first."""

    def __init__(self, batching: Batching) -> None:
        self._batching = batching
        self._waiting: list[_Batch] = []
        self._open: dict[Hashable, _Batch] = {}  # that take more tasks
        self._changed = threading.Condition()

    def put(self, task: _Task) -> None:
        """Adds a task to a batch of its key that has room, or to a new one.

        Raises:
            BusyError: if so many batches wait that there is no new one.
        """
        key = merging.key(task.question, self._batching.pads)
        with self._changed:
            batch = self._open.get(key)
            size = self._batching.max_batch_size
            if batch and batch.rows + task.rows > size:
                batch.due = 0.0  # as full as it gets
                batch = None
            if batch is None:
                batch = self._new_batch(key)
            batch.tasks.append(task)
            if batch.rows == size:
                batch.due = 0.0
            self._changed.notify_all()

    def take(self) -> list[_Task]:
        """Waits for a batch that is due, and takes it."""
        with self._changed:
            while True:
                now = time.monotonic()
                for batch in self._waiting:
                    if batch.due <= now:
                        self._waiting.remove(batch)
                        self._close(batch)
                        return batch.tasks
                first = min((b.due for b in self._waiting), default=None)
                self._changed.wait(None if first is None else first - now)

    def _new_batch(self, key: Hashable) -> _Batch:
        if len(self._waiting) >= self._batching.max_enqueued_batches:
            raise BusyError(
                "The batch scheduling queue to which this task was submitted "
                "is full"
            )
        wait_s = self._batching.batch_timeout_micros / 1e6
        batch = _Batch(time.monotonic() + wait_s)
        self._waiting.append(batch)
        self._open[key] = batch
        return batch

    def _close(self, batch: _Batch) -> None:
        self._open = {k: b for k, b in self._open.items() if b is not batch}
