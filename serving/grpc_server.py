"""The gRPC door: services, health, reflection, one port.

Threads are as many as requests may run and wait, and a few for health and
status, which must be answered however busy the server is.
"""

from __future__ import annotations

import dataclasses
from concurrent import futures
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving import reflection, servicers
from serving.service import Service
from serving.transport import MESSAGE_LIMITS

_HEALTH = "grpc.health.v1.Health"
_SERVING = health_pb2.HealthCheckResponse.SERVING
_SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
_SPARE_THREADS = 8
# Between looks at whether any request still runs while the server drains.
_LOOK_S = 1.0
# Calls that arrive faster than threads can refuse them.
_MAX_UNSEEN = 256


@dataclasses.dataclass(frozen=True)
class GrpcOptions:
    """How gRPC is offered.

    Attributes:
        threads: requests that run and wait.
        credentials: of TLS; None speaks in the clear.
        socket_path: of a UNIX socket beside the port, "" for none.
        channel_arguments: of gRPC's server.
    """

    threads: int = 32
    credentials: Any = None
    socket_path: str = ""
    channel_arguments: tuple[tuple[str, Any], ...] = ()


class GrpcServer:
    """The gRPC door of a service.

    Args:
        service: that answers.
        address: `host:port`; port 0 takes a free one.
        options: how it is offered.

    Attributes:
        port: on which it listens.

    Raises:
        OSError: if the address cannot be had.
    """

    def __init__(
        self, service: Service, address: str, options: GrpcOptions
    ) -> None:
        self._service = service
        self._calls = servicers.OpenCalls()
        threads = options.threads + _SPARE_THREADS
        self._server = grpc.server(
            futures.ThreadPoolExecutor(threads, "grpc"),
            handlers=[
                *servicers.handlers(service, self._calls),
                *reflection.handlers(
                    [
                        servicers.PREDICTION_SERVICE,
                        servicers.MODEL_SERVICE,
                        _HEALTH,
                    ]
                ),
            ],
            options=list(_channel_options(options).items()),
            maximum_concurrent_rpcs=threads + _MAX_UNSEEN,
        )
        self._health = health.HealthServicer(experimental_non_blocking=True)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._announced: set[str] = set()
        self.port = _bind(self._server, address, options.credentials)
        if options.socket_path:
            _bind(self._server, f"unix:{options.socket_path}", None)

    def start(self) -> None:
        """Takes requests from now on."""
        self._server.start()
        self._announce()
        self._service.models.follow(self._announce)

    def stop(self, drain_seconds: float) -> None:
        """Takes no more requests, and waits for those that run.

        Not for streams of health's watchers, which would never end.
        """
        self._health.enter_graceful_shutdown()
        stopped = self._server.stop(drain_seconds)
        while not stopped.wait(_LOOK_S):
            if not self._calls:
                self._server.stop(None)

    def _announce(self) -> None:
        """Tells health's clients which models there are."""
        there = {"", *self._service.models.names}
        for name in there | self._announced:
            self._health.set(
                name, _SERVING if name in there else _SERVICE_UNKNOWN
            )
        self._announced = there


def _channel_options(options: GrpcOptions) -> dict[str, Any]:
    return {
        **dict(MESSAGE_LIMITS),
        # Without it a second server could share the port unnoticed.
        "grpc.so_reuseport": 0,
        **dict(options.channel_arguments),
    }


def _bind(server: Any, address: str, credentials: Any) -> int:
    try:
        port: int = (
            server.add_secure_port(address, credentials)
            if credentials
            else server.add_insecure_port(address)
        )
    except RuntimeError as error:
        raise OSError(
            f"Cannot listen on {address} ({error}); another process may have "
            "the port: pass another --port, or 0 for a free one."
        ) from error
    if port == 0:
        raise OSError(f"Cannot listen on {address}; check --host and --port.")
    return port
