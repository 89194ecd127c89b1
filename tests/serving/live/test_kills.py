"""SIGKILL in the middle of commands: what was acknowledged is there, whole."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from processes import beside

from serving import index
from serving.live.journal import ADD, REMOVE, Journal, last_records

# Each command says so on stdout when it is done, as from a shell.
_CHILD = """
import pathlib, sys
from serving import index
from serving.live.journal import Journal
base, round_ = sys.argv[1:]
for number in range(10 ** 6):
    name = f"{round_}-{number % 40}"
    if number % 3 == 1:
        command = ["remove", base, f"{round_}-{(number - 1) % 40}"]
    elif number % 7 == 6:
        command = None
    else:
        command = ["add", base, "--item_id", name, "--title", str(number)]
    if command is None:
        Journal(pathlib.Path(base)).fold()
    else:
        assert index.main(command) == 0
    print("done", number, flush=True)
"""
ROUNDS = 12


def commands(round_):
    """The same commands, as what they do: (kind, item, title) or None."""
    for number in itertools.count():
        if number % 3 == 1:
            yield REMOVE, f"{round_}-{(number - 1) % 40}", None
        elif number % 7 == 6:
            yield None
        else:
            yield ADD, f"{round_}-{number % 40}", str(number)


def done(state, orders):
    """A catalogue after some commands, as a dictionary."""
    after = dict(state)
    for order in filter(None, orders):
        kind, item, title = order
        after[item] = (kind, title)
    return after


def found(base):
    _, records = Journal(base).read()
    return {
        each.item_id: (each.kind, each.columns.get("title"))
        for each in last_records(records)
    }


def test_what_was_acknowledged_outlives_kills(exact_dir, tmp_path):
    base = tmp_path / "recommender"
    shutil.copytree(exact_dir, base / "1")
    assert index.main(["add", str(base), "--item_id=a", "--title=b"]) == 0
    state, generator, number_done = found(base), random.Random(5), 0
    for round_ in range(ROUNDS):
        acknowledged = _killed(base, round_, generator.uniform(0.01, 0.15))
        orders = list(itertools.islice(commands(round_), acknowledged + 1))
        now = found(base)
        # The one that ran may be done or not, and nothing in between.
        assert now in (done(state, orders[:-1]), done(state, orders))
        state, number_done = now, number_done + acknowledged
    assert number_done > 5 * ROUNDS
    assert index.main(["remove", str(base), "a"]) == 0
    assert found(base) == done(state, [(REMOVE, "a", None)])


def _killed(base, round_, seconds):
    """Runs commands and kills them; how many had said that they are done."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(base), str(round_)],
        stdout=subprocess.PIPE,
        **beside(base.parent),
    ) as process:
        lines = [process.stdout.readline()]
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
    return sum(line.startswith("done") for line in lines)
