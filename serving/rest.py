"""TensorFlow Serving's REST API, a thin door to `Service`.

An event loop in a thread of its own reads and writes; predictions run in
worker threads on the same models as gRPC's. Memory is bounded: so many
connections, so many bytes of bodies that are not answered yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from tornado import httpserver, netutil, web

from serving.rest_handler import Handler, RestOptions, Room
from serving.service import Service

_MAX_CONNECTIONS = 1000
_MAX_HEADER_BYTES = 2**16
_BODY_SECONDS = 30.0  # that a client may take to send its request
_IDLE_SECONDS = 75.0  # between two requests of a connection


class _BoundedServer(httpserver.HTTPServer):
    """Closes connections beyond a number: each costs a file descriptor."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        super().initialize(*args, **kwargs)
        self._open = 0

    def handle_stream(self, stream: Any, address: Any) -> None:
        if self._open >= _MAX_CONNECTIONS:
            stream.close()
            return
        self._open += 1
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        self._open -= 1
        super().on_close(server_conn)


class RestServer:
    """The REST door of a service.

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
        self, service: Service, address: str, options: RestOptions
    ) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._sockets = netutil.bind_sockets(
                int(port), host, family=socket.AF_INET
            )
        except OSError as error:
            raise OSError(
                f"Cannot listen on {address} ({error}); another process may "
                "have the port: pass another --rest_api_port."
            ) from error
        self.port: int = self._sockets[0].getsockname()[1]
        self._room = Room(service, options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="rest", daemon=True
        )

    def start(self) -> None:
        """Takes requests from now on."""
        self._thread.start()
        self._do(self._listen())

    def stop(self, drain_seconds: float) -> None:
        """Takes no more requests, and waits for those that run."""
        if self._thread.is_alive():
            self._do(self._drain(drain_seconds))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._room.workers.shutdown(wait=False, cancel_futures=True)

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        options = self._room.options
        application = web.Application(
            [(".*", Handler, {"room": self._room})],
            log_function=lambda _: None,  # paths name models and labels
        )
        self._server = _BoundedServer(
            application,
            ssl_options=options.tls,
            max_header_size=_MAX_HEADER_BYTES,
            max_body_size=options.max_body_bytes,
            body_timeout=_BODY_SECONDS,
            idle_connection_timeout=_IDLE_SECONDS,
        )
        self._server.add_sockets(self._sockets)

    async def _drain(self, seconds: float) -> None:
        self._server.stop()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._room.is_empty(), seconds)
        await self._server.close_all_connections()
