"""Malformed and hostile gRPC requests, each with the codes that are right."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np

from serving import signatures, transport, wire

_TIMEOUT = 60.0
_BAD = frozenset({"INVALID_ARGUMENT"})
_ANY_REFUSAL = _BAD | {"NOT_FOUND", "FAILED_PRECONDITION"}
_CLOSED = frozenset({"closed"})
_NAMES = (
    "../../../etc/passwd", "..", "/", "\x00", "a" * 2**20, "%2e%2e%2f",
    "recommender/1", "recommender\n", "☕", " ",
)


class GrpcTarget:
    """A server's gRPC port.

    Args:
        target: `host:port`.
        item_id: one of the catalogue.
    """

    def __init__(self, target: str, item_id: str) -> None:
        self.address = target.rsplit(":", 1)
        self.item_id = item_id
        # Larger than the server takes, to see that it does not.
        self._channel = grpc.insecure_channel(
            target, options=[("grpc.max_send_message_length", -1)]
        )

    def send(
        self,
        content: bytes,
        method: str = transport.PREDICT_METHOD,
        timeout: float = _TIMEOUT,
    ) -> str:
        """The code that bytes get."""
        try:
            self._channel.unary_unary(method)(content, timeout=timeout)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    def request(self, **inputs: Any) -> Any:
        """A sound `recommend` request, with other inputs in their places."""
        arrays = signatures.blank(
            signatures.known(
                signatures.SIGNATURES[signatures.RECOMMEND].inputs, False
            ),
            {"b": 1, "L": 1, "X": 0},
        )
        arrays["history_item_ids"][:] = self.item_id
        arrays["k"][:] = 3
        return wire.message("PredictRequest").FromString(
            wire.request_bytes(
                "recommender", signatures.RECOMMEND, {**arrays, **inputs}
            )
        )

    def close(self) -> None:
        """Lets the connection go."""
        self._channel.close()


def _random_message(target: GrpcTarget, rng: random.Random) -> str:
    return target.send(rng.randbytes(rng.randrange(400)))


def _changed_bytes(target: GrpcTarget, rng: random.Random) -> str:
    content = bytearray(target.request().SerializeToString())
    for _ in range(rng.randint(1, 6)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return target.send(bytes(content))


def _cut_short(target: GrpcTarget, rng: random.Random) -> str:
    request = target.request()
    # Last what no request may lack: without its rules one would be sound.
    request.inputs.sort(key=lambda each: each.key == "k")
    content = request.SerializeToString()
    return target.send(content[: rng.randrange(1, len(content))])


def _random_socket(target: GrpcTarget, rng: random.Random) -> str:
    host, port = target.address
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.settimeout(0.2)
        try:
            sock.sendall(rng.randbytes(rng.randrange(1, 2000)))
            while sock.recv(4096):
                pass
        except OSError:  # closed by the server, or still waiting for more
            pass
    return "closed"


def _strange_name(target: GrpcTarget, rng: random.Random) -> str:
    request = target.request()
    request.model_spec.name = rng.choice(_NAMES)
    return target.send(request.SerializeToString())


def _strange_signature(target: GrpcTarget, rng: random.Random) -> str:
    request = target.request()
    request.model_spec.signature_name = rng.choice(_NAMES)
    return target.send(request.SerializeToString())


def _strange_version(target: GrpcTarget, rng: random.Random) -> str:
    request = target.request()
    request.model_spec.version.value = rng.choice([-1, 0, 2**62, -(2**63)])
    return target.send(request.SerializeToString())


def _strange_method(target: GrpcTarget, rng: random.Random) -> str:
    service = "/tensorflow.serving.PredictionService/"
    name = rng.choice(["Classify", "Regress", "MultiInference", "Nothing"])
    return target.send(b"", service + name)


def _wrong_type(target: GrpcTarget, rng: random.Random) -> str:
    request = target.request()
    tensor = rng.choice(request.inputs).value
    tensor.dtype = rng.choice([0, 1, 2, 8, 14, 19, 20, 21, 23, 99, 101])
    return target.send(request.SerializeToString())


def _wrong_shape(target: GrpcTarget, rng: random.Random) -> str:
    wrong = rng.choice(
        [
            {"k": np.zeros((), np.int32)},
            {"k": np.zeros((1, 1), np.int32)},
            {"k": np.zeros(7, np.int32)},
            {"k": np.array([-1], np.int32)},
            {"history_item_ids": np.full((1, 3), "x", object)},
            {"history_item_ids": np.full((0, 1), "x", object)},
            {"scenario": np.full((1, 1, 1, 1), "x", object)},
            {"one_more": np.zeros(1, np.float32)},
        ]
    )
    return target.send(target.request(**wrong).SerializeToString())


def _huge_shape(target: GrpcTarget, rng: random.Random) -> str:
    request = target.request()
    tensor = rng.choice(request.inputs).value
    for _ in range(rng.randint(1, 40)):
        tensor.tensor_shape.dim.add(size=rng.choice([2**20, 2**40, 2**62, -5]))
    return target.send(request.SerializeToString())


def _repeated_rows(target: GrpcTarget, rng: random.Random) -> str:
    """A few bytes that stand for many rows: the last value is repeated."""
    request = target.request()
    for pair in request.inputs:
        pair.value.tensor_shape.dim[0].size = rng.choice([5_000, 100_000])
    return target.send(request.SerializeToString())


def _large_text(target: GrpcTarget, rng: random.Random) -> str:
    text = rng.choice(["x", "☕", " ", "\x00", "\u202e", "a b "]) * 2**18
    profile = np.array([text], object)
    return target.send(
        target.request(profile_text=profile).SerializeToString()
    )


def _no_text(target: GrpcTarget, rng: random.Random) -> str:
    ids = np.array([[rng.randbytes(40)]], object)  # no UTF-8
    return target.send(
        target.request(history_item_ids=ids).SerializeToString()
    )


def _extreme_k(target: GrpcTarget, rng: random.Random) -> str:
    k = np.array([rng.choice([0, 2**31 - 1, 10**6])], np.int32)
    return target.send(target.request(k=k).SerializeToString())


def _no_time(target: GrpcTarget, rng: random.Random) -> str:
    content = target.request().SerializeToString()
    return target.send(content, timeout=rng.choice([0.0001, 0.00001]))


_NO_TIME = frozenset({"OK", "DEADLINE_EXCEEDED"})
ATTACKS: dict[
    Callable[[GrpcTarget, random.Random], str], frozenset[str]
] = {
    _random_message: _ANY_REFUSAL,
    _changed_bytes: _ANY_REFUSAL | {"OK"},
    _cut_short: _ANY_REFUSAL,
    _random_socket: _CLOSED,
    _strange_name: frozenset({"NOT_FOUND"}),
    _strange_signature: frozenset({"FAILED_PRECONDITION"}),
    _strange_version: frozenset({"NOT_FOUND"}),
    _strange_method: frozenset({"UNIMPLEMENTED"}),
    _wrong_type: _BAD | {"OK"},  # the number may be the right one
    _wrong_shape: _BAD,
    _huge_shape: _BAD,
    _repeated_rows: _BAD,
    _large_text: frozenset({"OK"}),
    _no_text: frozenset({"OK"}),
    _extreme_k: frozenset({"OK"}),
    _no_time: _NO_TIME,
}


def too_large(target: GrpcTarget) -> str:
    """The code of a message above the server's limit."""
    text = np.array(["x" * (transport.MAX_MESSAGE_BYTES + 1)], object)
    return target.send(target.request(profile_text=text).SerializeToString())


