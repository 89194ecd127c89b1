"""A model server that TensorFlow Serving's clients can talk to.

    python -m serving.server --model_base_path JOB_DIR/export/recommender

The flags are tensorflow_model_server's. It speaks gRPC and REST, serves ScaNN
bundles too, takes new versions up by itself, and on SIGTERM answers what has
begun before it ends.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence

from serving import flags
from serving.errors import ConfigError
from serving.manifest import BundleError

_CANNOT_SERVE = 1


def parser() -> argparse.ArgumentParser:
    """All flags, with defaults."""
    return flags.parser(__doc__.split("\n")[0])


@contextlib.contextmanager
def stop_signals() -> Iterator[Callable[[], object]]:
    """Catches SIGTERM and SIGINT from now on; gives what waits for one.

    By a socket, which keeps what has come: a lock that is about to be waited
    for is not, and then nothing would wake the main thread.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        try:
            yield lambda: reader.recv(1)
        finally:
            signal.set_wakeup_fd(-1)


def serve(asked: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        BundleError: if a model has no version that can be served.
        OSError: if a port is taken.
        ConfigError: if flags or their files are wrong.
    """
    # From the first second on: loading takes some, and may be ended too.
    with stop_signals() as wait:
        _serve(asked, wait)
    print("Stopped.", flush=True)


def _serve(asked: argparse.Namespace, wait: Callable[[], object]) -> None:
    started = time.monotonic()
    from serving.assembly import ModelServer

    # Modules stay: looking for garbage among them, whenever a version is freed,
    # would hold requests up.
    gc.freeze()
    with ModelServer(asked) as server:
        rest = server.rest_address
        print(
            f"Serving {server}, ready after {time.monotonic() - started:.1f} s"
            f"{f', REST on {rest}' if rest else ''}",
            flush=True,
        )
        wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 after SIGTERM, 1 if there is nothing to serve."""
    asked = parser().parse_args(argv)
    # TensorFlow reads this when imported, and without it calls every machine
    # that has no GPU an error; what goes wrong reaches us as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING
    )
    logging.getLogger("serving").setLevel(logging.INFO)
    # What does not parse is the caller's mistake, and not worth a line each.
    logging.getLogger("tornado").setLevel(logging.CRITICAL)
    # So is what protobuf reads only in part.
    warnings.filterwarnings("ignore", "Unexpected end-group tag")
    try:
        serve(asked)
    except (BundleError, ConfigError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return _CANNOT_SERVE
    return 0


if __name__ == "__main__":
    result = main()
    logging.shutdown()
    sys.stdout.flush()
    # All is answered; while Python takes itself apart, a session could wait
    # for a thread that Python has stopped.
    os._exit(result)
