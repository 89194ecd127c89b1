"""A model server that TensorFlow Serving's gRPC clients can talk to.

    python -m serving.server --model_base_path JOB_DIR/export/recommender

The flags are tensorflow_model_server's. It serves the latest version, also of
ScaNN bundles, takes new versions up by itself, and on SIGTERM answers what has
begun before it ends.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.manifest import BundleError

if TYPE_CHECKING:
    from serving.model_host import ModelHost

_CANNOT_SERVE = 1


def parser() -> argparse.ArgumentParser:
    """All flags, with defaults."""
    result = argparse.ArgumentParser(
        prog="python -m serving.server",
        description=__doc__.split("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = result.add_argument
    add(
        "--model_base_path",
        type=Path,
        required=True,
        help="folder of the numbered version folders",
    )
    add("--model_name", default="recommender", help="that requests ask for")
    add("--port", type=int, default=8500, help="0 takes a free one")
    add("--host", default="0.0.0.0", help="address to listen on")
    add(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1.0,
        help="between looks for new versions; 0 never looks",
    )
    add(
        "--grpc_max_threads",
        type=int,
        default=4 * (os.cpu_count() or 1),
        help="requests computed at the same time",
    )
    add(
        "--drain_seconds",
        type=float,
        default=30.0,
        help="that running requests get after SIGTERM",
    )
    return result


class Server:
    """The gRPC server of one model.

    Args:
        host: the model.
        address: `host:port`; port 0 takes a free one.
        threads: requests computed at the same time.

    Attributes:
        port: on which it listens.

    Raises:
        OSError: if the address cannot be had.
    """

    def __init__(self, host: ModelHost, address: str, threads: int) -> None:
        import grpc
        from grpc_health.v1 import health, health_pb2_grpc
        from tensorflow_serving.apis import (
            model_service_pb2_grpc,
            prediction_service_pb2_grpc,
        )

        from serving import remote, servicers

        self._host = host
        self._server = grpc.server(
            futures.ThreadPoolExecutor(threads),
            # Without it a second server could share the port unnoticed.
            options=[*remote.MESSAGE_LIMITS, ("grpc.so_reuseport", 0)],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            servicers.PredictionServicer(host), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            servicers.ModelServicer(host), self._server
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.port = _bind(self._server, address)

    def start(self) -> None:
        """Takes requests from now on."""
        from grpc_health.v1 import health_pb2

        self._server.start()
        for service in ("", self._host.name):
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, drain_seconds: float) -> None:
        """Takes no more requests, and waits for those that run."""
        self._health.enter_graceful_shutdown()
        self._host.stop()
        self._server.stop(drain_seconds).wait()


def _bind(server: Any, address: str) -> int:
    try:
        port: int = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(
            f"Cannot listen on {address} ({error}); another process may have "
            "the port: pass another --port, or 0 for a free one."
        ) from error
    if port == 0:
        raise OSError(f"Cannot listen on {address}; check --host and --port.")
    return port


def serve(flags: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        BundleError: if no version can be served.
        OSError: if the port is taken.
    """
    stopping = threading.Event()
    # From the first second on: loading takes some, and may be ended too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    started = time.monotonic()
    from serving.model_host import ModelHost

    path = flags.model_base_path.absolute()
    name = flags.model_name
    host = ModelHost(name, path)
    address = f"{flags.host}:{flags.port}"
    server = Server(host, address, flags.grpc_max_threads)
    if flags.file_system_poll_wait_seconds > 0:
        host.poll_every(flags.file_system_poll_wait_seconds)
    server.start()
    print(
        f"Serving {name} version {host.find(name, None).version} on "
        f"{flags.host}:{server.port}, ready after "
        f"{time.monotonic() - started:.1f} s",
        flush=True,
    )
    stopping.wait()
    server.stop(flags.drain_seconds)
    print("Stopped.", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 after SIGTERM, 1 if there is nothing to serve."""
    flags = parser().parse_args(argv)
    # TensorFlow reads this when imported, and without it calls every machine
    # that has no GPU an error; what goes wrong reaches us as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING
    )
    logging.getLogger("serving").setLevel(logging.INFO)
    try:
        serve(flags)
    except (BundleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return _CANNOT_SERVE
    return 0


if __name__ == "__main__":
    sys.exit(main())
