"""How a client reaches a server: connection, TLS, retries.

gRPC itself does the retries, below the call: within the call's timeout, with
waits that grow and vary, and only where the server cannot have computed.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import grpc

from serving import wire

if TYPE_CHECKING:
    from serving.fields import Array

PREDICT_METHOD = "/tensorflow.serving.PredictionService/Predict"
MAX_MESSAGE_BYTES = 64 * 2**20
MESSAGE_LIMITS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)
_MOST_ATTEMPTS = 5  # gRPC counts no further
# The server was not reached, or had no room: nothing was computed. A request
# that is wrong stays wrong, and a deadline that has passed stays passed.
_RETRYABLE = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")


@dataclasses.dataclass(frozen=True)
class Retries:
    """How often, and how soon, a call is tried again.

    Attributes:
        attempts: the first one included, 2 to 5.
        first_wait_s: before the second; a random share of it is waited.
        longest_wait_s: what the waits, doubled each time, grow to.
    """

    attempts: int = 4
    first_wait_s: float = 0.1
    longest_wait_s: float = 2.0

    def __post_init__(self) -> None:
        if not 2 <= self.attempts <= _MOST_ATTEMPTS:
            raise ValueError(
                f"attempts must be 2 to {_MOST_ATTEMPTS}, got "
                f"{self.attempts}; pass no Retries to try once."
            )
        if not 0 < self.first_wait_s <= self.longest_wait_s:
            raise ValueError(
                "first_wait_s must be above 0 and at most longest_wait_s, got "
                f"{self.first_wait_s} and {self.longest_wait_s}."
            )


@dataclasses.dataclass(frozen=True)
class Tls:
    """PEM texts for an encrypted connection.

    Attributes:
        authority: certificates that a server's is checked against; b"" takes
            those that gRPC brings.
        certificate, key: of the client, where the server asks for them.
    """

    authority: bytes = b""
    certificate: bytes = b""
    key: bytes = b""

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ValueError(
                "A client's certificate needs its key, and a key its "
                "certificate; pass both or none."
            )

    def credentials(self) -> Any:
        """gRPC's credentials of a channel."""
        return grpc.ssl_channel_credentials(
            self.authority or None, self.key or None, self.certificate or None
        )


def predict_outputs(response: Any) -> dict[str, Array]:
    """Outputs of a PredictResponse message by name; strings are bytes."""
    return {
        pair.key: wire.from_tensor(pair.value, wire.shape_of(pair.value))
        for pair in response.outputs
    }


def predict_method(channel: Any) -> Any:
    """The Predict method of a channel, asyncio's or another: takes bytes."""
    return channel.unary_unary(
        PREDICT_METHOD,
        response_deserializer=wire.message("PredictResponse").FromString,
    )


def explained(error: Any, target: str, timeout_s: float) -> str:
    """A sentence for a call that got no answer: why, and what to do."""
    code, details = error.code(), error.details()
    if code is grpc.StatusCode.UNAVAILABLE:
        return (
            f"No server answers at {target}; start one with "
            "`python -m serving.server --model_base_path ...`, or name "
            f"another with --server. ({details})"
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return (
            f"{target} did not answer within {timeout_s:g} s; "
            "raise --timeout or look at the server's load."
        )
    return f"{target} refused the request ({code.name}): {details}"


def options(retries: Retries | None) -> list[tuple[str, Any]]:
    """Options of a channel.

    Args:
        retries: None tries once.
    """
    if retries is None:
        return [*MESSAGE_LIMITS, ("grpc.enable_retries", 0)]
    policy = {
        "maxAttempts": retries.attempts,
        "initialBackoff": f"{retries.first_wait_s:.3f}s",
        "maxBackoff": f"{retries.longest_wait_s:.3f}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": list(_RETRYABLE),
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    return [
        *MESSAGE_LIMITS,
        ("grpc.enable_retries", 1),
        ("grpc.service_config", json.dumps(config)),
    ]


def channel(target: str, tls: Tls | None, retries: Retries | None) -> Any:
    """A connection, made when it is needed and kept while it is used.

    Args:
        target: `host:port`.
        tls: None speaks in the clear.
        retries: None tries once.
    """
    if tls is None:
        return grpc.insecure_channel(target, options=options(retries))
    return grpc.secure_channel(
        target, tls.credentials(), options=options(retries)
    )


def aio_channel(target: str, tls: Tls | None, retries: Retries | None) -> Any:
    """The same for asyncio."""
    import grpc.aio

    if tls is None:
        return grpc.aio.insecure_channel(target, options=options(retries))
    return grpc.aio.secure_channel(
        target, tls.credentials(), options=options(retries)
    )
