"""What `local_run` says of a step: its memory, and why it failed."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from pipeline import local_run
from pipeline.local_run import MemoryWatch, _explain
from trainer.anomalies import DataError, table_error

_MB = 2**20


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_run, "_SAMPLE_SECONDS", 0.01)


def held_mb() -> float:
    return psutil.Process().memory_info().rss / _MB


def test_memory_that_a_block_held_and_gave_back_counts() -> None:
    before = held_mb()
    with MemoryWatch() as watch:
        held = os.urandom(200 * _MB)
        time.sleep(0.1)
        del held
    assert before + 150 < watch.peak_mb < before + 400
    assert held_mb() < watch.peak_mb - 100


def test_memory_of_children_counts() -> None:
    before = held_mb()
    program = "import os, sys; held = os.urandom(2**27); sys.stdin.read()"
    with MemoryWatch() as watch:
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", program], stdin=subprocess.PIPE
        )
        deadline = time.monotonic() + 10
        while watch.peak_mb < before + 110 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.communicate()  # ends while it is watched
    assert watch.peak_mb >= before + 110


def test_a_block_shorter_than_a_sample_has_a_peak() -> None:
    with MemoryWatch() as watch:
        pass
    assert watch.peak_mb > 1


def test_the_watch_ends_when_the_block_fails() -> None:
    watch = MemoryWatch()
    with pytest.raises(KeyError), watch:
        raise KeyError
    assert not watch._thread.is_alive()


def _chained(error: Exception, *, explicit: bool) -> Exception:
    """An error that Beam or TFX made of another one."""
    outer = RuntimeError("wrapped")
    if explicit:
        outer.__cause__ = error
    else:
        outer.__context__ = error
    return outer


DATA = DataError([table_error("missing_table", "items", "add it.")])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DATA, "missing_table"),
        (_chained(DATA, explicit=True), "missing_table"),
        (_chained(DATA, explicit=False), "missing_table"),
        (OSError("disk full"), "disk full"),
        (_chained(OSError("disk full"), explicit=True), "wrapped"),
    ],
)
def test_a_failure_is_told_by_its_cause(error: Exception, reason: str) -> None:
    told = _explain("events_gen", error)
    assert told.startswith("step events_gen failed: ")
    assert reason in told.splitlines()[0]
    assert ("wrapped" in told) == (reason == "wrapped")
    assert "Nothing that was pushed before is touched." in told
    assert "served from the cache" in told
