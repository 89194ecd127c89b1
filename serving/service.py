"""What every door of the server shares: turns, answers, measures.

gRPC and REST translate their requests into calls of `Service` and its results
back; what a request may do, what it costs and what is noted of it is decided
here, once.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Generic, TypeVar

from serving.checks import RequestError
from serving.gate import Call, Gate
from serving.metrics import Metrics
from serving.models import Models
from serving.recommender import Recommender
from serving.status import OK, status_of

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
MAX_ROWS = 1024


@dataclasses.dataclass(frozen=True)
class Question:
    """One batch for one signature of one version.

    Attributes:
        model: its name in the configuration.
        signature: "" is the default one.
        inputs, outputs: as `Recommender.predict` takes them.
        call: who waits for the answer, and how long.
    """

    model: str
    recommender: Recommender
    signature: str
    inputs: Arrays
    outputs: Collection[str] = ()
    call: Call = dataclasses.field(default_factory=Call)


def alone(question: Question) -> dict[str, Array]:
    """Outputs by name, computed for this question only."""
    return question.recommender.predict(
        question.signature, question.inputs, question.outputs
    )


Compute = Callable[[Question], "dict[str, Array]"]


@dataclasses.dataclass(frozen=True)
class Door:
    """Through which API of which entry point a request came.

    Attributes:
        api: "Predict", "GetModelMetadata", ...
        entrypoint: "GRPC" or "REST".
    """

    api: str
    entrypoint: str


@dataclasses.dataclass(frozen=True)
class Outcome(Generic[_T]):
    """An answer, or the code and the sentence why there is none."""

    code: str
    message: str = ""
    value: _T | None = None


class Service:
    """Answers requests on the models in service.

    Args:
        models: that may be asked.
        gate: bounds the predictions that run and wait.
        compute: answers a question, alone or merged with others.
        max_rows: of one request. The memory of an answer grows with rows
            times items, so that one request could take it all.
        log_requests: writes inputs into the log. They are what people did
            and what they are called by.
    """

    def __init__(
        self,
        models: Models,
        gate: Gate,
        *,
        compute: Compute = alone,
        max_rows: int = MAX_ROWS,
        log_requests: bool = False,
    ) -> None:
        self.models, self.gate = models, gate
        self.metrics = Metrics()
        self.metrics.watch(models, gate)
        self._compute = compute
        self._max_rows, self._log_requests = max_rows, log_requests

    def answer(
        self,
        door: Door,
        model: str,
        work: Callable[[], _T],
        call: Call | None = None,
    ) -> Outcome[_T]:
        """Does the work of a request, and notes how it went.

        Args:
            door: through which it came.
            model: that it names, in service or not.
            work: raises what `status_of` knows.
            call: waits for a turn within its time; None answers at once, for
                work that costs nothing.
        """
        started = time.monotonic()
        try:
            if call is None:
                outcome = Outcome(OK, value=work())
            else:
                with self.gate.turn(call):
                    outcome = Outcome(OK, value=work())
        # Whatever it is must reach neither the next request nor a log.
        except Exception as error:
            outcome = Outcome(*status_of(error))
            if outcome.code == "INTERNAL":
                _LOG.error("A request failed with %s.", type(error).__name__)
        # A name that is not in service may be anything: no label of ours.
        name = model if model in self.models.names else ""
        self.metrics.requests.add(name, outcome.code)
        self.metrics.latency.add(
            time.monotonic() - started, name, door.api, door.entrypoint
        )
        return outcome

    def predict(self, question: Question) -> dict[str, Array]:
        """Outputs of a signature by name; call it from the work of an answer.

        Raises:
            UnknownSignatureError, RequestError: as `Recommender.predict`.
            BusyError, CancelledError, DeadlineError: if it is not computed.
        """
        if self._log_requests:
            _log(question)
        for name, value in question.inputs.items():
            if value.shape and value.shape[0] > self._max_rows:
                raise RequestError(
                    f"{name} has {value.shape[0]} rows; a request has at most "
                    f"{self._max_rows}: send several, or start the server "
                    "with a larger --max_request_rows."
                )
        question.call.check()
        started = time.monotonic()
        outputs = self._compute(question)
        self.metrics.runtime.add(
            time.monotonic() - started, question.model, "Predict", "TF2"
        )
        return outputs


def _log(question: Question) -> None:
    def plain(value: bytes) -> str:
        return value.decode("utf-8", "replace")

    said = {
        "model": question.model,
        "version": question.recommender.version,
        "signature": question.signature,
        "inputs": {k: v.tolist() for k, v in question.inputs.items()},
    }
    _LOG.info(
        "Request: %s", json.dumps(said, default=plain, ensure_ascii=False)
    )
