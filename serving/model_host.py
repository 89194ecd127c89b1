"""Keeps the wanted sound versions of a model in service.

A new version is loaded and warmed up beside those in service, behind their
requests, and takes over between two of these; a version that cannot be loaded
is refused with its reason and the old one stays. Requests that run keep the
version they began with. Taking the newest folder away brings the one before
back.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import gc
import logging
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from serving import versions
from serving.errors import UnknownModelError
from serving.manifest import BundleError
from serving.model_config import VersionPolicy
from serving.recommender import Recommender

_LOG = logging.getLogger(__name__)

LOADING, AVAILABLE, END = "LOADING", "AVAILABLE", "END"
_NICENESS = 19  # of threads that warm up: what requests leave
# Seconds after which a thread hands the interpreter over: usually, and while
# a version loads. Not asked for when it is changed: two models may load at the
# same time.
_TURN, _SHORT_TURN = sys.getswitchinterval(), 0.001


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """State of a version: LOADING, AVAILABLE or END, and why it was refused."""

    version: int
    state: str
    refused_because: str = ""


class ModelHost:
    """Serves one model from its folder.

    Args:
        name: by which requests ask for it.
        base_path: folder of the version folders.
        policy: versions that are served at the same time; the latest one by
            default.
        previous: serves the same folder under another policy; what it has
            loaded is not loaded again.

    Raises:
        BundleError: if no version can be served.
    """

    def __init__(
        self,
        name: str,
        base_path: Path,
        policy: VersionPolicy | None = None,
        previous: ModelHost | None = None,
    ) -> None:
        self.name, self.base_path = name, base_path
        self.policy = policy or VersionPolicy()
        # Replaced, never changed: who reads it needs no lock.
        self._serving: dict[int, Recommender] = {}
        self._statuses: dict[int, VersionStatus] = {}
        self._refused: dict[int, object] = {}  # version -> state of its files
        if previous:
            self._serving = previous._serving
            self._statuses |= previous._statuses
            self._refused |= previous._refused
        self._refreshing = threading.Lock()
        self.refresh()
        if not self._serving:
            raise BundleError(self._nothing_to_serve())

    def find(self, version: int | None) -> Recommender:
        """A version in service, the highest one for None.

        Raises:
            UnknownModelError: if the version is not in service.
        """
        serving = self._serving
        wanted = max(serving) if version is None else version
        if wanted not in serving:
            raise UnknownModelError(
                "Servable not found for request: "
                f"Specific({self.name}, {wanted})"
            )
        return serving[wanted]

    @property
    def served_versions(self) -> list[int]:
        """Versions in service, ascending."""
        return sorted(self._serving)

    def statuses(self) -> list[VersionStatus]:
        """States of all versions seen, ascending."""
        return [status for _, status in sorted(self._statuses.copy().items())]

    def refresh(self) -> None:
        """Puts the wanted versions that can be loaded into service."""
        with self._refreshing:
            wanted: dict[int, Recommender] = {}
            there = versions.versions(self.base_path)
            for version in self.policy.candidates(there):
                if self.policy.is_enough(len(wanted)):
                    break
                found = self._serving.get(version) or self._load(version)
                if found:
                    found.catch_up()  # so that no request waits for it
                    wanted[version] = found
            if wanted:  # else the last one stays, whatever became of the files
                self._take_over(wanted)

    def _load(self, version: int) -> Recommender | None:
        folder = self.base_path / str(version)
        seen = _fingerprint(folder)
        if self._refused.get(version) == seen:
            return None
        self._statuses[version] = VersionStatus(version, LOADING)
        try:
            loaded = (
                _load_behind_requests(folder)
                if self._serving
                else Recommender(folder)
            )
        except BundleError as error:
            self._refused[version] = seen
            self._statuses[version] = VersionStatus(version, END, str(error))
            _LOG.error("Version %d is refused: %s", version, error)
            return None
        _LOG.info(
            "Version %d is ready (loaded in %.1f s, warm after %.1f s).",
            version,
            loaded.load_seconds,
            loaded.warm_up_seconds,
        )
        return loaded

    def _take_over(self, wanted: dict[int, Recommender]) -> None:
        retired = self._serving.keys() - wanted.keys()
        self._serving = wanted
        for version in retired:
            self._statuses[version] = VersionStatus(version, END)
        for version in wanted:
            self._statuses[version] = VersionStatus(version, AVAILABLE)
        if retired:
            _give_memory_back()

    def _nothing_to_serve(self) -> str:
        reasons = [
            status.refused_because
            for status in self._statuses.values()
            if status.refused_because
        ]
        if reasons:
            return "No version can be served. " + " ".join(reasons)
        return (
            f"{self.base_path} has no version to serve; pass the folder "
            "that holds the numbered ones, such as JOB_DIR/export/recommender."
        )


def _load_behind_requests(folder: Path) -> Recommender:
    """Loads a version while others answer.

    Loading is in part Python: a thread of low priority would keep the
    interpreter's lock while it waits for a core, and everybody with it. Only
    warming up, which is TensorFlow's, waits behind requests.
    """
    with _short_turns():
        loaded = Recommender(folder, warm_up=False)
    with ThreadPoolExecutor(1, initializer=_let_others_go_first) as pool:
        pool.submit(loaded.warm_up).result()
    return loaded


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Python's threads hand over soon, so that requests need not wait long."""
    sys.setswitchinterval(_SHORT_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(_TURN)


def _let_others_go_first() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        me = threading.get_native_id()
        usual = os.getpriority(os.PRIO_PROCESS, me)
        os.setpriority(os.PRIO_PROCESS, me, max(usual, _NICENESS))


def _give_memory_back() -> None:
    """Frees versions that nobody asks for any more.

    A loaded version is full of reference cycles, and what is freed of it
    stays with glibc's allocator until that is told to let go.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _fingerprint(folder: Path) -> object:
    """Changes when a version is written anew."""
    try:
        state = (folder / versions.SAVED_MODEL).stat()
    except FileNotFoundError:  # taken away since it was listed
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size
