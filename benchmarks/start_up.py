"""Seconds and memory of imports, `--help`, server start and first answers.

    python -m benchmarks.start_up --bundle JOB/export/recommender

Every figure is the median of several fresh processes; memory is the peak of
the process itself.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

_REPEATS = 5
_COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "trainer.task --help": ["-m", "trainer.task", "--help"],
    "serving.server --help": ["-m", "serving.server", "--help"],
    "serving.client --help": ["-m", "serving.client", "--help"],
    "import tensorflow": ["-c", "import tensorflow"],
    "import trainer.run": ["-c", "import trainer.run"],
}


def run_once(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MB of one fresh interpreter."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{arguments} ended with status {status}")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def serve_once(model_dir: Path) -> tuple[float, float, float]:
    """Seconds until a server is ready, of its client, and its memory in MB."""
    started = time.monotonic()
    server = subprocess.Popen(
        [
            sys.executable, "-m", "serving.server", "--port", "0",
            "--host", "127.0.0.1", "--model_base_path", str(model_dir),
            "--model_name", model_dir.name,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    port = None
    for line in server.stdout or ():
        if found := re.search(r":(\d+), ready", line):
            port = found.group(1)
            break
    ready = time.monotonic() - started
    client, _ = run_once(
        [
            "-m", "serving.client", "recommend", "--model", model_dir.name,
            "--server", f"127.0.0.1:{port}",
        ]
    )
    server.terminate()
    _, _, usage = os.wait4(server.pid, 0)
    return ready, client, usage.ru_maxrss / 1024


def main() -> None:
    """Prints one line per command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, help="JOB/export/recommender")
    asked = parser.parse_args()
    for name, arguments in _COMMANDS.items():
        runs = [run_once(arguments) for _ in range(_REPEATS)]
        seconds, memory = (
            statistics.median(column) for column in zip(*runs, strict=True)
        )
        print(f"{name:<24} {seconds:6.2f} s {memory:7.0f} MB")
    if asked.bundle:
        starts = [serve_once(asked.bundle.resolve()) for _ in range(3)]
        ready, client, memory = (
            statistics.median(column) for column in zip(*starts, strict=True)
        )
        print(f"{'server ready':<24} {ready:6.2f} s {memory:7.0f} MB")
        print(f"{'client, whole command':<24} {client:6.2f} s")


if __name__ == "__main__":
    main()
