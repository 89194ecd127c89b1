"""Other processes that use the same copy of the package as the tests."""

from __future__ import annotations

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import serving

_START_SECONDS = 120


def beside(folder: Path) -> dict[str, Any]:
    """Arguments of `subprocess` that run our package from another folder."""
    package = Path(serving.__file__).parents[1].absolute()
    return {
        "cwd": folder,
        "env": {**os.environ, "PYTHONPATH": str(package)},
        "text": True,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """`python -m serving.server` in a process of its own."""

    def __init__(self, base_path: Path, log: Path, *flags: str) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "serving.server", "--port", "0"),
                *("--model_base_path", str(base_path)),
                *("--host", "127.0.0.1"),
                *flags,
            ],
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            **beside(log.parent),
        )
        self.pid = self._process.pid
        self.ready_line = self._first_line()
        self.target, *rest = re.findall(r" on ([^,\s]+)", self.ready_line)
        self.rest_target = rest[0] if rest else ""

    def _first_line(self) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_START_SECONDS):
                self._process.kill()
                raise TimeoutError(self.log.read_text())
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self.log.read_text())
        return line

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)
