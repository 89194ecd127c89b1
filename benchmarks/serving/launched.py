"""A model server in a process of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO


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
    log: IO[str] | None = None,
) -> Iterator[Launched]:
    """Serves the newest version of a model's folder until the block ends.

    Args:
        base_path: folder of the versions.
        flags: of `serving.server`, more of them.
        has_rest: whether it offers REST too, on a free port.
        log: gets what the server says; this process's standard error if None.
    """
    rest_port = _free_port() if has_rest else 0
    process = subprocess.Popen(
        [
            sys.executable, "-m", "serving.server", "--port", "0",
            "--rest_api_port", str(rest_port), "--host", "127.0.0.1",
            "--model_base_path", str(base_path), *flags,
        ],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        addresses = re.findall(r" on ([^,\s]+)", process.stdout.readline())
        yield Launched(*(addresses + [""])[:2], process.pid)
    finally:
        process.terminate()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
