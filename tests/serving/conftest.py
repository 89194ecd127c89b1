"""Bundles and one running server, shared: each costs seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# The suites of tests/contracts.py and this folder's helpers.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
# `benchmarks`, which is not installed; at the end, so that all else is.
sys.path.append(str(Path(__file__).parents[2]))

NUM_ITEMS = 150


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
        content=content,
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


@pytest.fixture(scope="session")
def running(exact_dir: Path) -> Iterator[Any]:
    """Both doors on the exact bundle, in this process."""
    from running import Running, models_of

    server = Running(models_of(exact_dir.parent))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server_process(
    exact_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    from processes import Process, free_port

    log = tmp_path_factory.mktemp("server") / "stderr"
    rest = f"--rest_api_port={free_port()}"
    process = Process(exact_dir.parent, log, rest)
    yield process
    process.terminate()
