"""One HTTP request of TensorFlow Serving's REST API."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import ssl
from concurrent import futures
from http import HTTPStatus
from typing import Any

from tornado import web

from serving import descriptions, metrics, rest_json, rest_paths
from serving.checks import RequestError
from serving.gate import Call
from serving.recommender import UnknownSignatureError
from serving.rest_paths import Target
from serving.service import Door, Outcome, Question, Service
from serving.status import HTTP_CODES, OK, status_of

_JSON = "application/json"
_APIS = {
    rest_paths.PREDICT: "Predict",
    rest_paths.STATUS: "GetModelStatus",
    rest_paths.METADATA: "GetModelMetadata",
}
_SPARE_WORKERS = 4  # for status and metadata, however many predictions wait
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


@dataclasses.dataclass(frozen=True)
class RestOptions:
    """How the REST API is offered.

    Attributes:
        timeout_s: of a request.
        threads: requests in work at the same time, those that wait for a
            turn among them.
        metrics_path: "" offers no metrics.
        has_cors: whether browsers may ask from other origins.
        max_body_bytes: of one request.
        max_pending_bytes: of the bodies of all requests not answered yet.
        tls: for HTTPS; None speaks HTTP.
    """

    timeout_s: float = 30.0
    threads: int = 32
    metrics_path: str = ""
    has_cors: bool = False
    max_body_bytes: int = 16 * 2**20
    max_pending_bytes: int = 128 * 2**20
    tls: ssl.SSLContext | None = None


class Room:
    """What the handlers share; used by the event loop alone.

    Attributes:
        workers: threads for predictions.
        requests: in work.
        pending_bytes: of the bodies of those that are not answered yet.
    """

    def __init__(self, service: Service, options: RestOptions) -> None:
        self.service, self.options = service, options
        self.workers = futures.ThreadPoolExecutor(
            options.threads + _SPARE_WORKERS, "rest-worker"
        )
        self.requests = 0
        self.pending_bytes = 0

    async def is_empty(self) -> None:
        """Returns when no request is in work."""
        while self.requests:
            await asyncio.sleep(0.01)


@web.stream_request_body
class Handler(web.RequestHandler):
    """One request: collects the body within bounds, then answers."""

    def initialize(self, room: Room) -> None:
        self._room = room
        self._room.requests += 1
        self._body: list[bytes] = []
        self._bytes = 0
        self._is_counted, self._is_refused = True, False
        self._call = Call(room.options.timeout_s)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("Content-Type", _JSON)

    def prepare(self) -> None:
        if self._room.options.has_cors:
            for name, value in _CORS.items():
                self.set_header(name, value)

    def data_received(self, chunk: bytes) -> None:
        if self._is_refused:
            return  # what comes is read to its end, and kept nowhere
        self._bytes += len(chunk)
        self._room.pending_bytes += len(chunk)
        self._body.append(chunk)
        if self._room.pending_bytes > self._room.options.max_pending_bytes:
            self._is_refused = True
            self._leave()

    async def get(self) -> None:
        """Metrics, status and metadata."""
        if self.request.path == self._room.options.metrics_path:
            self.set_header("Content-Type", metrics.CONTENT_TYPE)
            self.finish(self._room.service.metrics.page())
            return
        await self._answer()

    async def post(self) -> None:
        """Predictions."""
        await self._answer()

    def options(self) -> None:
        """What a browser asks before it asks from another origin."""
        self.finish()

    def on_finish(self) -> None:
        self._leave()

    def on_connection_close(self) -> None:
        self._call.cancel()
        self._leave()

    def log_exception(self, *_: Any) -> None:
        """Nothing: tornado would log the request."""

    def write_error(self, status_code: int, **_: Any) -> None:
        """An error before there was anything to answer."""
        self.finish(json.dumps({"error": HTTPStatus(status_code).phrase}))

    def _leave(self) -> None:
        self._body.clear()
        if self._is_counted:
            self._is_counted = False
            self._room.requests -= 1
            self._room.pending_bytes -= self._bytes

    def _fail(self, code: str, message: str) -> None:
        self.set_status(HTTP_CODES[code])
        self.finish(json.dumps({"error": message}))

    async def _answer(self) -> None:
        if self._is_refused:
            self._fail(
                "RESOURCE_EXHAUSTED",
                f"Requests that are not answered yet have more than "
                f"{self._room.options.max_pending_bytes} bytes; try again "
                "later.",
            )
            return
        body = b"".join(self._body)
        self._body.clear()
        line = self.request.method or "", self.request.path
        outcome = await asyncio.get_running_loop().run_in_executor(
            self._room.workers,
            functools.partial(
                _outcome, self._room.service, line, body, self._call
            ),
        )
        if outcome.code != OK:
            self._fail(outcome.code, outcome.message)
        else:
            self.finish(outcome.value or "")


def _outcome(
    service: Service, line: tuple[str, str], body: bytes, call: Call
) -> Outcome[str]:
    try:
        target = rest_paths.parse(*line)
    except RequestError as error:
        return Outcome(*status_of(error))
    api = _APIS.get(target.method, "Other")
    is_prediction = target.method == rest_paths.PREDICT
    return service.answer(
        Door(api, "REST"),
        target.spec.name,
        lambda: _work(service, target, body, call),
        call if is_prediction else None,
    )


def _work(service: Service, target: Target, body: bytes, call: Call) -> str:
    models, spec = service.models, target.spec
    if target.method == rest_paths.STATUS:
        return _written(descriptions.statuses_json(models, spec))
    if target.method == rest_paths.METADATA:
        return _written(descriptions.metadata_json(models, spec))
    if target.method != rest_paths.PREDICT:
        raise RequestError(
            f"This server has no {target.method}; its models have named "
            "inputs: use predict."
        )
    document = rest_json.parse(body)
    recommender = models.find(spec)
    try:
        specs = recommender.input_specs(document.signature)
    except UnknownSignatureError:
        raise RequestError(
            f'Serving signature name: "{document.signature}" not found in '
            "signature def"
        ) from None
    question = Question(
        spec.name,
        recommender,
        document.signature,
        document.inputs(specs),
        call=call,
    )
    return document.answer(service.predict(question))


def _written(message: dict[str, Any]) -> str:
    return json.dumps(message, indent=1, ensure_ascii=False)
