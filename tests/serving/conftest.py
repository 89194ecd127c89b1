"""Bundles and one running server, shared: each costs seconds."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

# The suites of tests/contracts.py and this folder's toy model.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

NUM_ITEMS = 150
START_SECONDS = 120


@pytest.fixture(scope="session")
def exact_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import toy_model

    folder = tmp_path_factory.mktemp("exact") / "recommender"
    return toy_model.export(folder, NUM_ITEMS)


@pytest.fixture(scope="session")
def scann_dir(exact_dir: Path) -> Path:
    pytest.importorskip("scann")
    from serving import index

    return index.build(exact_dir, exact_dir.parents[1] / "recommender_scann")


@pytest.fixture(scope="session")
def oracle() -> SimpleNamespace:
    import toy_model

    content = toy_model.Content(NUM_ITEMS, seed=0)
    answers = toy_model.Oracle(content, exclude_seen=True)
    return SimpleNamespace(
        ids=content.ids,
        titles=content.titles,
        vectors=content.vectors,
        recommend=answers.recommend,
        query=answers.query,
        scores=answers.scores,
    )


@pytest.fixture(scope="session")
def exact(exact_dir: Path):
    from serving.recommender import Recommender

    return Recommender(exact_dir)


@pytest.fixture(scope="session")
def scann(scann_dir: Path):
    from serving.recommender import Recommender

    return Recommender(scann_dir)


class Process:
    """`python -m serving.server` in a process of its own."""

    def __init__(self, base_path: Path, log: Path) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "serving.server", "--port", "0"),
                *("--model_base_path", str(base_path)),
                *("--host", "127.0.0.1"),
            ],
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
            env={**os.environ},
        )
        self.ready_line = self._first_line()
        self.target = self.ready_line.split(" on ")[1].split(",")[0]

    def _first_line(self) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(START_SECONDS):
                self._process.kill()
                raise TimeoutError(self.log.read_text())
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self.log.read_text())
        return line

    def terminate(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=30)


@pytest.fixture(scope="session")
def server_process(
    exact_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("server") / "stderr"
    process = Process(exact_dir.parent, log)
    yield process
    process.terminate()
