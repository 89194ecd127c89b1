"""What the page asks: a few JSON questions, passed on to the model server."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tornado import httpserver, netutil, web

from serving.client import (
    Answer,
    AsyncClient,
    ClientError,
    Event,
    Policy,
    User,
)

Json = dict[str, Any]
Question = Callable[[AsyncClient, Mapping[str, Any]], Coroutine[Any, Any, Json]]
_HERE = Path(__file__).parent
_MAX_BODY_BYTES = 2**20
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


async def _start(client: AsyncClient, asked: Mapping[str, Any]) -> Json:
    """The state of a user, and the first list."""
    state = await client.state(_user(asked))
    return await _listed(client, asked, state, Event(scenario=_scenario(asked)))


async def _next(client: AsyncClient, asked: Mapping[str, Any]) -> Json:
    """The list after one more event, from the state before it."""
    event = Event(
        item_id=str(asked["item_id"]),
        timestamp=int(asked.get("timestamp", 0)),
        scenario=_scenario(asked),
    )
    state = np.array(asked["state"], np.float32)
    return await _listed(client, asked, state, event)


async def _find(client: AsyncClient, asked: Mapping[str, Any]) -> Json:
    """Items that a text describes."""
    user = User(profile_text=str(asked["text"]), scenario=_scenario(asked))
    answers = await client.recommend(user, k=int(asked.get("k", 10)))
    return {"answers": _as_json(answers)}


async def _why(client: AsyncClient, asked: Mapping[str, Any]) -> Json:
    """What each event of the history adds to an item's score."""
    user = _user(asked)
    parts, score = await client.explain(user, str(asked["item_id"]))
    return {"score": score, "parts": [dataclasses.asdict(p) for p in parts]}


QUESTIONS: Mapping[str, Question] = {
    "start": _start, "next": _next, "find": _find, "why": _why,
}


async def _listed(
    client: AsyncClient, asked: Mapping[str, Any], state: Any, event: Event
) -> Json:
    rules = asked.get("policy", {})
    answers, state = await client.recommend_next(
        state,
        event,
        exclude=[str(item) for item in asked.get("history", [])],
        k=int(asked.get("k", 10)),
        policy=Policy(**rules),
    )
    # float32 -> decimal -> float32 gives the same bits.
    return {"answers": _as_json(answers), "state": state.tolist()}


def _user(asked: Mapping[str, Any]) -> User:
    return User(
        history=[str(item) for item in asked.get("history", [])],
        profile_text=str(asked.get("profile_text", "")),
        scenario=_scenario(asked),
    )


def _scenario(asked: Mapping[str, Any]) -> str:
    return str(asked.get("scenario", ""))


def _as_json(answers: Sequence[Answer]) -> list[Json]:
    return [dataclasses.asdict(answer) for answer in answers]


class _Handler(web.RequestHandler):
    """The page loads nothing from elsewhere, and nothing keeps its answers."""

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)


class _Api(_Handler):
    """POST /api/QUESTION with a JSON object; an error is {"error": ...}."""

    def initialize(self, client: AsyncClient) -> None:
        self._client = client

    async def post(self, name: str) -> None:
        """Answers one question."""
        question = QUESTIONS.get(name)
        if question is None:
            return self._refuse(404, f"There is no question {name!r}.")
        try:
            asked = json.loads(self.request.body)
            self.finish(await question(self._client, asked))
        except ClientError as error:
            self._refuse(502, str(error))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._refuse(400, f"{type(error).__name__}: {error}")

    def _refuse(self, status: int, reason: str) -> None:
        self.set_status(status)
        self.finish({"error": reason})


class _Page(_Handler):
    """The page and what it loads, all from this folder."""

    def initialize(self, scenarios: Sequence[str]) -> None:
        self._scenarios = scenarios

    def get(self) -> None:
        """The page, with the scenarios to choose from."""
        self.render(str(_HERE / "page.html"), scenarios=self._scenarios)


def application(
    client: AsyncClient, scenarios: Sequence[str]
) -> web.Application:
    """The page and its questions.

    Args:
        client: of the model server.
        scenarios: to choose from, beside the default one.
    """
    return web.Application(
        [
            ("/", _Page, {"scenarios": scenarios}),
            ("/api/([a-z]+)", _Api, {"client": client}),
            ("/(page[.](?:css|js))", web.StaticFileHandler, {"path": _HERE}),
        ],
        log_function=lambda _: None,
    )


def listen(page: web.Application, host: str, port: int) -> int:
    """Serves in the running event loop. Returns the port.

    Raises:
        OSError: if the address cannot be had.
    """
    try:
        # One family: with two, port 0 would be two ports.
        sockets = netutil.bind_sockets(port, host, family=socket.AF_INET)
    except OSError as error:
        raise OSError(
            f"Cannot listen on {host}:{port} ({error}); another process may "
            "have the port: pass another --port, or 0 for a free one."
        ) from error
    server = httpserver.HTTPServer(page, max_body_size=_MAX_BODY_BYTES)
    server.add_sockets(sockets)
    number: int = sockets[0].getsockname()[1]
    return number
