"""Malformed and hostile HTTP requests, each with the right statuses."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections.abc import Callable
from typing import Any

_TIMEOUT = 60.0
_MODEL = "/v1/models/recommender"
_PREDICT = f"{_MODEL}:predict"
_BAD = frozenset({"400"})
_CLOSED = "closed"
_PATHS = (
    "/", "//", "/v1", "/v1/models", "/v1/models/",
    "/v1/models/../../etc/passwd", "/v1/models/..%2f..%2fetc%2fpasswd",
    "/v1/models/%2e%2e", "/v1/models/%00",
    "/v1/models/%ff%fe", f"{_MODEL}/versions/-1", f"{_MODEL}/versions/x",
    f"{_MODEL}/versions/{'9' * 5000}", f"{_MODEL}/labels/..",
    f"{_MODEL}/metadata/..", "/v1/models/" + "a" * 20_000, "/etc/passwd",
    "/v1/models/recommender/versions/1/../../../..", "/monitoring/../v1",
)
_VALUES: tuple[Any, ...] = (
    None, True, 1, -1, 1.5, 2**63, 2**31, "", "x", [], {}, [[]], [None],
    [[[[[[1]]]]]], {"b64": "?"}, {"b64": 1}, {"b64": "aTM=", "x": 1},
    ["i3", 4], [["i3"], "i4"], ["x"] * 3000,
)


class RestTarget:
    """A server's REST port.

    Args:
        target: `host:port`.
        item_id: one of the catalogue.
    """

    def __init__(self, target: str, item_id: str) -> None:
        host, port = target.rsplit(":", 1)
        self.address, self.item_id = (host, int(port)), item_id

    def send(self, method: str, path: str, body: bytes | None = None) -> str:
        """The status of a request, "closed" without one."""
        connection = http.client.HTTPConnection(
            *self.address, timeout=_TIMEOUT
        )
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status)
        except (OSError, http.client.HTTPException):
            return _CLOSED
        finally:
            connection.close()

    def predict(self, document: Any) -> str:
        """The status of a prediction."""
        return self.send("POST", _PREDICT, json.dumps(document).encode())

    def raw(self, content: bytes) -> str:
        """The status that bytes on a socket get, "closed" without one."""
        with socket.create_connection(self.address, 10) as sock:
            sock.settimeout(0.3)
            try:
                sock.sendall(content)
                first = sock.recv(64)
            except OSError:  # closed by the server, or still waiting for more
                return _CLOSED
        words = first.split()
        return words[1].decode() if len(words) > 1 else _CLOSED

    def similar(self, **inputs: Any) -> dict[str, Any]:
        """A sound request, with other inputs in their places."""
        sound = {"item_ids": [self.item_id], "k": [2]}
        return {
            "signature_name": "similar_items", "inputs": {**sound, **inputs}
        }


def _random_body(target: RestTarget, rng: random.Random) -> str:
    return target.send("POST", _PREDICT, rng.randbytes(rng.randrange(500)))


def _changed_bytes(target: RestTarget, rng: random.Random) -> str:
    body = bytearray(json.dumps(target.similar()).encode())
    for _ in range(rng.randint(1, 5)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    return target.send("POST", _PREDICT, bytes(body))


def _random_socket(target: RestTarget, rng: random.Random) -> str:
    return target.raw(rng.randbytes(rng.randrange(1, 2000)) + b"\r\n\r\n")


def _strange_path(target: RestTarget, rng: random.Random) -> str:
    method = rng.choice(["GET", "POST"])
    body = b"{}" if method == "POST" else None
    return target.send(method, rng.choice(_PATHS), body)


def _strange_method(target: RestTarget, rng: random.Random) -> str:
    method = rng.choice(["PUT", "DELETE", "PATCH", "TRACE", "BREW", "CONNECT"])
    return target.send(method, _PREDICT, b"{}")


def _wrong_value(target: RestTarget, rng: random.Random) -> str:
    name = rng.choice(["item_ids", "k"])
    return target.predict(target.similar(**{name: rng.choice(_VALUES)}))


def _wrong_document(target: RestTarget, rng: random.Random) -> str:
    key = rng.choice(["inputs", "instances", "signature_name", "x"])
    return target.predict({key: rng.choice(_VALUES)})


def _deep(target: RestTarget, rng: random.Random) -> str:
    depth = rng.choice([100, 2_000, 200_000])
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    middle = b"" if opening == b"[" else b"1"
    deep = opening * depth + middle + closing * depth
    return target.send("POST", _PREDICT, b'{"inputs":' + deep + b"}")


def _first_row_lies(target: RestTarget, rng: random.Random) -> str:
    rows: list[Any] = [["i"] * 20_000] + [["i"]] * rng.randint(1_000, 20_000)
    return target.predict(target.similar(item_ids=rows))


def _long_number(target: RestTarget, rng: random.Random) -> str:
    digits = b"9" * rng.choice([30, 4_000, 500_000])
    body = b'{"signature_name":"similar_items","inputs":{"item_ids":["i"],"k":['
    return target.send("POST", _PREDICT, body + digits + b"]}}")


def _large_text(target: RestTarget, rng: random.Random) -> str:
    text = rng.choice(["x", "☕", "\x00", "\u202e"]) * 2**18
    return target.predict(target.similar(item_ids=[text]))


def _false_length(target: RestTarget, rng: random.Random) -> str:
    length = rng.choice(["-1", "x", "1e9", "99999999999999999999", "+5", "0x1"])
    return target.raw(
        f"POST {_PREDICT} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {length}\r\n\r\n{{}}".encode()
    )


def _false_chunks(target: RestTarget, rng: random.Random) -> str:
    chunk = rng.choice(["zz", "-1", "ffffffffff", "1;" + "x" * 9000])
    return target.raw(
        f"POST {_PREDICT} HTTP/1.1\r\nHost: x\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{chunk}\r\n{{}}\r\n".encode()
    )


def _large_headers(target: RestTarget, rng: random.Random) -> str:
    return target.raw(
        f"GET {_MODEL} HTTP/1.1\r\nX: {'a' * rng.randint(70_000, 200_000)}"
        "\r\n\r\n".encode()
    )


ATTACKS: dict[
    Callable[[RestTarget, random.Random], str], frozenset[str]
] = {
    _random_body: _BAD,
    _changed_bytes: _BAD | {"200"},
    _random_socket: _BAD | {_CLOSED},
    _strange_path: _BAD | {"404"},
    _strange_method: frozenset({"405"}),
    _wrong_value: _BAD | {"200"},  # some are strings, some are none at all
    _wrong_document: _BAD,
    _deep: _BAD,
    _first_row_lies: _BAD,
    _long_number: _BAD,
    _large_text: frozenset({"200"}),
    _false_length: _BAD | {_CLOSED},
    _false_chunks: _BAD | {_CLOSED},
    _large_headers: _BAD | {"431", _CLOSED},
}


def slow_clients(target: RestTarget, count: int) -> list[socket.socket]:
    """Connections that begin a request and never end it."""
    begun = (
        f"POST {_PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n"
    )
    sockets = []
    for number in range(count):
        sock = socket.create_connection(target.address, 10)
        sock.sendall(begun.encode()[: None if number % 2 else 30])
        sockets.append(sock)
    return sockets
