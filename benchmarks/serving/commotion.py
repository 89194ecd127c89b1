"""What goes on around a server under load: versions and items come and go."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving.launched import Launched
from benchmarks.serving.questions import ADDED, View
from benchmarks.serving.traffic import Board
from serving import versions
from serving.client import Client, User

_KEPT_VERSIONS = 2
_LONGEST_LOAD = 300.0  # seconds
_POLL = 0.25
_TURNOVER = 8  # added items that stay, and removed ones that stay away


@dataclasses.dataclass(frozen=True)
class Swap:
    """A version that appeared.

    Attributes:
        version: its number.
        started: when, by `time.monotonic`.
        seconds: until it was in service, or refused.
        said: the reason of the refusal, "" if it is in service.
    """

    version: int
    started: float
    seconds: float
    said: str


class Swaps:
    """Puts copies of a bundle beside the version that is served.

    Args:
        launched: the server, with a REST port.
        base: folder of its versions.
        bundle: a version's folder, outside of `base`.
    """

    def __init__(self, launched: Launched, base: Path, bundle: Path) -> None:
        self._url = f"http://{launched.rest_target}/v1/models/{base.name}"
        self._base, self._bundle = base, bundle
        self._sound = deque(versions.versions(base))

    def next(self, *, is_corrupt: bool = False) -> Swap:
        """One version more, once it is served or refused; old ones go.

        Raises:
            RuntimeError: if it is neither after minutes, or if what should
                have been refused is served, or the other way round.
        """

        def save(folder: Path) -> None:
            shutil.copytree(self._bundle, folder, dirs_exist_ok=True)
            if is_corrupt:
                _damage(folder)

        version = versions.next_version(self._base)
        versions.write_version(self._base, version, save)
        started = time.monotonic()
        said = self._settled(version, started + _LONGEST_LOAD)
        seconds = time.monotonic() - started
        if bool(said) != is_corrupt:
            raise RuntimeError(
                f"version {version} is {'corrupt' if is_corrupt else 'sound'}, "
                f"but the server said {said or 'nothing'!r}."
            )
        if not is_corrupt:  # which nobody may have noticed: it stays
            self._sound.append(version)
        while len(self._sound) > _KEPT_VERSIONS:
            shutil.rmtree(self._base / str(self._sound.popleft()))
        return Swap(version, started, seconds, said)

    def _settled(self, version: int, until: float) -> str:
        while time.monotonic() < until:
            time.sleep(_POLL)
            with urllib.request.urlopen(self._url) as answer:
                every = json.load(answer)["model_version_status"]
            for each in every:
                if int(each["version"]) != version:
                    continue
                if each["state"] == "AVAILABLE":
                    return ""
                if each["status"]["error_code"] != "OK":
                    return str(each["status"]["error_message"])
        raise RuntimeError(f"version {version} is neither served nor refused.")


def _damage(folder: Path) -> None:
    """Turns the bits of one byte of the weights, in a copy that is ours."""
    path = max(folder.rglob("variables.data*"), key=lambda p: p.stat().st_size)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 0xFF]))


class LiveItems:
    """Adds and removes items by the shop's command, and holds the server to
    it at once.

    Args:
        client: of the server.
        base: folder of its versions.
        ids: of the catalogue, that may be removed for a while.
        board: is told what is out of the catalogue.
        seed: of what is drawn.

    Attributes:
        done: commands that are through.
        faults: a sentence for each answer that did not know of one.
    """

    def __init__(
        self, client: Client, base: Path, ids: Sequence[str], board: Board,
        seed: int,
    ) -> None:
        self._client, self._base, self._ids = client, base, list(ids)
        self._board, self._out = board, frozenset[str]()
        self._draw = random.Random(seed)
        self._added: deque[str] = deque()
        self._removed: deque[str] = deque()
        self.done, self.faults = 0, list[str]()

    def run(self, until: float, interval: float) -> None:
        """A command each `interval` seconds, until a monotonic moment."""
        while (due := time.monotonic() + interval) < until:
            self._next()
            time.sleep(max(0.0, due - time.monotonic()))

    def _next(self) -> None:
        if self.done % 2 == 0:
            if len(self._added) > _TURNOVER:
                self._remove(self._added.popleft())
                return
            item_id = f"{ADDED}{self.done}"
            self._add(item_id, f"{self._draw.choice(self._ids)} live")
            self._added.append(item_id)
            return
        if len(self._removed) > _TURNOVER:
            item_id = self._removed.popleft()
            self._unsure(item_id)
            self._add(item_id, item_id)
            self._sure(self._out - {item_id})
            return
        there = sorted(set(self._ids) - self._out)
        item_id = self._draw.choice(there)
        self._unsure(item_id)
        self._remove(item_id)
        self._removed.append(item_id)
        self._sure(self._out | {item_id})

    def _unsure(self, item_id: str) -> None:
        self._board.tell(View(self._out, frozenset({item_id})))

    def _sure(self, out: frozenset[str]) -> None:
        self._out = out
        self._board.tell(View(out))

    def _add(self, item_id: str, title: str) -> None:
        self._command("add", "--item_id", item_id, "--title", title)
        if not self._is_known(item_id):
            self.faults.append(f"{item_id} was added, and is not ranked")

    def _remove(self, item_id: str) -> None:
        self._command("remove", item_id)
        if self._is_known(item_id):
            self.faults.append(f"{item_id} was removed, and is ranked")

    def _is_known(self, item_id: str) -> bool:
        return self._client.rank(User(), [item_id])[0] > float("-inf")

    def _command(self, name: str, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "serving.index", name, str(self._base),
             *words],
            check=True, stdout=subprocess.DEVNULL,
        )
        self.done += 1


class Memory(threading.Thread):
    """Follows a process's memory, a sample a second, until stopped.

    Attributes:
        samples: (monotonic moment, bytes), resident.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self._stopped = psutil.Process(pid), threading.Event()
        self.samples: list[tuple[float, int]] = []

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Samples."""
        while not self._stopped.wait(1.0):
            self.samples.append(
                (time.monotonic(), self._process.memory_info().rss)
            )
