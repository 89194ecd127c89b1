"""A bundle in this process, and behind a server in a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def recommender_of(bundle: Path, parser: argparse.ArgumentParser) -> Any:
    """Loads a version; ends the command, saying why, where that fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    from serving.manifest import BundleError
    from serving.recommender import Recommender

    # As the server has them.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    try:
        return Recommender(bundle)
    except BundleError as error:
        parser.exit(1, f"error: {error}\n")


@dataclasses.dataclass(frozen=True)
class Launched:
    """A server that is ready.

    Attributes:
        target, rest_target: `host:port`; REST's is "" without that port.
        pid: of its process.
    """

    target: str
    rest_target: str
    pid: int


@contextlib.contextmanager
def server(
    base_path: Path,
    *flags: str,
    has_rest: bool = False,
    niceness: int = 0,
) -> Iterator[Launched]:
    """Serves the newest version of a model's folder until the block ends.

    Args:
        base_path: folder of the versions.
        flags: of `serving.server`, more of them.
        has_rest: whether it offers REST too, on a free port.
        niceness: lets its clients here go first, as if they had machines of
            their own.

    Raises:
        RuntimeError: if it does not start; it has said why on standard error.
    """
    rest_port = _free_port() if has_rest else 0
    process = subprocess.Popen(
        [
            "nice", "-n", str(niceness),
            sys.executable, "-m", "serving.server", "--port", "0",
            "--rest_api_port", str(rest_port), "--host", "127.0.0.1",
            "--model_base_path", str(base_path), *flags,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        addresses = re.findall(r" on ([^,\s]+)", process.stdout.readline())
        if not addresses:
            raise RuntimeError("the server did not start; see what it said.")
        target, *rest = addresses
        yield Launched(target, "".join(rest), process.pid)
    finally:
        process.terminate()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
