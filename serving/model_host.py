"""Keeps the latest sound version of a model in service.

A new version is loaded and warmed up beside the one in service, and takes over
between two requests; a version that cannot be loaded is refused with its
reason and the old one stays. Requests that run keep the version they began
with. Taking the newest folder away brings the one before back.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from pathlib import Path

from serving import versions
from serving.manifest import BundleError
from serving.recommender import Recommender

_LOG = logging.getLogger(__name__)

LOADING, AVAILABLE, END = "LOADING", "AVAILABLE", "END"


class UnknownModelError(LookupError):
    """A model or version that is not in service."""


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

    Raises:
        BundleError: if no version can be served.
    """

    def __init__(self, name: str, base_path: Path) -> None:
        self.name = name
        self._base_path = base_path
        self._current: Recommender | None = None
        self._statuses: dict[int, VersionStatus] = {}
        self._refused: dict[int, object] = {}  # version -> state of its files
        self._stopped = threading.Event()
        self._poller: threading.Thread | None = None
        self.refresh()
        if self._current is None:
            raise BundleError(self._nothing_to_serve())

    def find(self, name: str, version: int | None) -> Recommender:
        """The version in service.

        Args:
            name: of the model.
            version: None for the latest.

        Raises:
            UnknownModelError: if name or version is not in service.
        """
        current = self._current
        if name != self.name or current is None:
            raise UnknownModelError(
                f"There is no model {name!r}; this server has {self.name!r}."
            )
        if version not in (None, current.version):
            raise UnknownModelError(
                f"Version {version} of {name!r} is not in service; "
                f"version {current.version} is."
            )
        return current

    def statuses(self, name: str) -> list[VersionStatus]:
        """States of all versions seen, ascending.

        Raises:
            UnknownModelError: if this is not the model's name.
        """
        self.find(name, None)
        return [status for _, status in sorted(self._statuses.copy().items())]

    def poll_every(self, seconds: float) -> None:
        """Looks for new versions from now on, in a thread of its own."""

        def poll() -> None:
            while not self._stopped.wait(seconds):
                try:
                    self.refresh()
                except OSError as error:  # e.g. a share that went away
                    _LOG.error("Cannot read %s: %s", self._base_path, error)

        self._poller = threading.Thread(target=poll, daemon=True)
        self._poller.start()

    def stop(self) -> None:
        """Ends polling."""
        self._stopped.set()

    def refresh(self) -> None:
        """Puts the latest version that can be loaded into service."""
        for version in reversed(versions.versions(self._base_path)):
            if self._current and version == self._current.version:
                return
            if self._load(version):
                return

    def _load(self, version: int) -> bool:
        folder = self._base_path / str(version)
        seen = _fingerprint(folder)
        if self._refused.get(version) == seen:
            return False
        self._statuses[version] = VersionStatus(version, LOADING)
        try:
            loaded = Recommender(folder)
        except BundleError as error:
            self._refused[version] = seen
            self._statuses[version] = VersionStatus(version, END, str(error))
            _LOG.error("Version %d is refused: %s", version, error)
            return False
        self._take_over(loaded)
        return True

    def _take_over(self, loaded: Recommender) -> None:
        previous, self._current = self._current, loaded
        status = VersionStatus(loaded.version, AVAILABLE)
        self._statuses[loaded.version] = status
        if previous:
            old = previous.version
            self._statuses[old] = VersionStatus(old, END)
        _LOG.info(
            "Version %d is in service (loaded in %.1f s, warm after %.1f s).",
            loaded.version,
            loaded.load_seconds,
            loaded.warm_up_seconds,
        )

    def _nothing_to_serve(self) -> str:
        reasons = [
            status.refused_because
            for status in self._statuses.values()
            if status.refused_because
        ]
        if reasons:
            return "No version can be served. " + " ".join(reasons)
        return (
            f"{self._base_path} has no version to serve; pass the folder "
            "that holds the numbered ones, such as JOB_DIR/export/recommender."
        )


def _fingerprint(folder: Path) -> object:
    """Changes when a version is written anew."""
    try:
        state = (folder / versions.SAVED_MODEL).stat()
    except FileNotFoundError:  # taken away since it was listed
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size
