"""Version folders of a model: which there are, and writing one atomically.

A version is a folder `MODEL_DIR/<integer>`. It appears by one rename, after
all its bytes have reached the disk; until then it lives beside, under a hidden
name that no server reads. A lock keeps two writers apart and is let go by the
kernel when a writer is killed, so whatever hidden folder the next writer finds
is left over and removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from serving.disk import FULL, fsync
from serving.manifest import BundleError

SAVED_MODEL = "saved_model.pb"
_INCOMING = ".incoming-"
_LOCK = ".lock"


def versions(model_dir: Path) -> list[int]:
    """Complete versions, ascending; none if the folder does not exist."""
    if not model_dir.is_dir():
        return []
    return sorted(
        int(path.name)
        for path in model_dir.iterdir()
        # As TensorFlow Serving reads names: "007" is no version of its own.
        if path.name.isascii()
        and path.name.isdecimal()
        and path.name == str(int(path.name))
        and (path / SAVED_MODEL).is_file()
    )


def latest_version(model_dir: Path) -> int | None:
    """The version that is served, None if there is none."""
    return max(versions(model_dir), default=None)


def next_version(model_dir: Path) -> int:
    """One more than the latest version, 1 for the first."""
    return (latest_version(model_dir) or 0) + 1


def write_version(
    model_dir: Path, version: int, save: Callable[[Path], None]
) -> Path:
    """Makes a version appear complete or not at all.

    Args:
        model_dir: made if missing.
        version: 1 or more, and not there yet.
        save: writes the version's files into the empty folder it is given.

    Returns:
        The version's folder.

    Raises:
        BundleError: if the version exists, or the disk is full. Whatever
            `save` raises otherwise is passed on. Versions that were there
            are as they were.
    """
    if version < 1:
        raise BundleError(f"A version is 1 or more, got {version}.")
    model_dir.mkdir(parents=True, exist_ok=True)
    target = model_dir / str(version)
    incoming = model_dir / f"{_INCOMING}{version}"
    with _only_writer(model_dir):
        if target.exists():
            raise BundleError(
                f"{target} exists and versions are never overwritten; the "
                f"next free one is {next_version(model_dir)}."
            )
        for stale in model_dir.glob(f"{_INCOMING}*"):
            shutil.rmtree(stale)
        try:
            _save_durably(incoming, save)
            os.rename(incoming, target)
            fsync(model_dir)
        except Exception as error:
            shutil.rmtree(incoming, ignore_errors=True)
            if _is_disk_full(error):
                raise BundleError(_disk_full_message(target, error)) from error
            raise
    return target


def _save_durably(folder: Path, save: Callable[[Path], None]) -> None:
    folder.mkdir()
    save(folder)
    for root, _, names in os.walk(folder):
        for name in names:
            fsync(Path(root) / name)
        fsync(Path(root))


@contextlib.contextmanager
def _only_writer(model_dir: Path) -> Iterator[None]:
    with (model_dir / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_disk_full(error: Exception) -> bool:
    # TensorFlow's own errors carry no errno, but the system's words.
    return any(os.strerror(code) in str(error) for code in FULL)


def _disk_full_message(target: Path, error: Exception) -> str:
    free = shutil.disk_usage(target.parent).free // 2**20
    previous = latest_version(target.parent)
    kept = (
        "no version was there"
        if previous is None
        else (f"version {previous} is intact")
    )
    return (
        f"No space to write {target} ({free} MB free after cleaning up, "
        f"{kept}); free some and run the same command again. Cause: {error}"
    )
