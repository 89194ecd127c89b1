"""The memory of a block, in a fresh process where nothing else moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import pipeline
from pipeline.memory_watch import MemoryWatch

# Each sleep lasts thirty samples: a busy machine takes one of them.
_PROGRAM = """
import json, os, psutil, subprocess, sys, time
from pipeline.memory_watch import MemoryWatch

def held():
    return psutil.Process().memory_info().rss / 2**20

before = held()
with MemoryWatch(sample_seconds=0.01) as watch:
    {block}
    time.sleep(0.3)
print(json.dumps([before, watch.peak_mb, held()]))
"""
_HOLDING = "import os; held = os.urandom(2**27); print(flush=True); input()"


class Memory(NamedTuple):
    """In 2**20 bytes; what the process itself held before and after."""

    before: float
    peak: float
    after: float


def watched(folder: Path, *block: str) -> Memory:
    """The block's lines, run under a watch in a process of its own."""
    root = Path(pipeline.__file__).parents[1].absolute()
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(root)}
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(block="\n    ".join(block))],
        cwd=folder, env=environment, check=True, timeout=60,
        stdout=subprocess.PIPE, text=True,
    )
    return Memory(*json.loads(ran.stdout))


def test_memory_that_a_block_held_and_gave_back_counts(tmp_path: Path) -> None:
    found = watched(
        tmp_path,
        "data = os.urandom(200 * 2**20)", "time.sleep(0.3)", "del data",
    )
    assert 195 < found.peak - found.before < 230
    assert found.after - found.before < 30


@pytest.mark.parametrize("through", [[], ["sh", "-c", '"$@"; true', "sh"]])
def test_memory_of_children_and_of_theirs_counts(
    through: list[str], tmp_path: Path
) -> None:
    command = [*through, sys.executable, "-S", "-c", _HOLDING]
    found = watched(
        tmp_path,
        f"child = subprocess.Popen({command}, stdin=subprocess.PIPE,",
        "    stdout=subprocess.PIPE)",
        "child.stdout.readline()  # it holds 128 MB now",
        "time.sleep(0.3)",
        "child.communicate(b'end')  # it ends while it is watched",
    )
    assert 125 < found.peak - found.before < 170
    assert found.after - found.before < 30


def test_what_the_process_held_before_counts(tmp_path: Path) -> None:
    found = watched(tmp_path, "pass")
    assert found.before > 5
    assert found.peak == pytest.approx(found.before, abs=5)


def test_a_block_shorter_than_a_sample_has_a_peak() -> None:
    with MemoryWatch() as watch:
        pass
    assert watch.peak_mb > 1


def test_the_watch_ends_when_the_block_fails() -> None:
    watch = MemoryWatch()
    with pytest.raises(KeyError), watch:
        raise KeyError
    assert not watch._thread.is_alive()
