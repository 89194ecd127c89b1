"""Bundles as versions of a served folder: found, compared and published."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from pathlib import Path

from tfx.dsl.io import fileio
from tfx.utils import io_utils

from pipeline import local_files
from serving import manifest, versions
from serving.manifest import EXTRA, Manifest
from serving.versions import SAVED_MODEL


def latest_version(base: str) -> int:
    """The greatest complete version below a folder, 0 if there is none."""
    if not local_files.is_remote(base):
        return versions.latest_version(Path(base)) or 0
    if not fileio.exists(base):
        return 0
    names = [name.strip("/") for name in fileio.listdir(base)]
    return max(
        (int(name) for name in names if name.isdecimal() and has(base, name)),
        default=0,
    )


def has(base: str, version: int | str) -> bool:
    """Whether a version is there, complete."""
    return bool(fileio.exists(os.path.join(base, str(version), SAVED_MODEL)))


def is_same_bundle(base: str, version: int, bundle: Path) -> bool:
    """Whether a published version holds the files of `bundle`."""
    with tempfile.TemporaryDirectory() as scratch:
        name = os.path.join(str(version), EXTRA)
        told = local_files.local_folder(
            os.path.join(base, name), Path(scratch) / name
        )
        published = Manifest.read(told.parent)
    return published.files == Manifest.read(bundle).files


def publish(bundle: Path, base: str, version: int) -> str:
    """Makes a bundle appear as a version, complete or not at all.

    The manifest is told the number and the name of its new place; every file
    is compared with it before the version appears.

    Args:
        bundle: version folder to be copied; stays as it is.
        base: folder of the versions, local or remote.
        version: that is not there yet.

    Returns:
        The folder of the version.

    Raises:
        BundleError: if the bundle is damaged, the version exists or the disk
            is full. Versions that were there are as they were.
    """
    name = os.path.basename(base.rstrip("/"))

    def save(folder: Path) -> None:
        shutil.copytree(bundle, folder, dirs_exist_ok=True)
        described = dataclasses.replace(
            Manifest.read(folder), model_name=name, version=version
        )
        described.write(folder)
        manifest.check_files(folder, described)

    if not local_files.is_remote(base):
        return str(versions.write_version(Path(base), version, save))
    with tempfile.TemporaryDirectory() as scratch:
        save(Path(scratch) / str(version))
        return _upload(Path(scratch) / str(version), base)


def _upload(folder: Path, base: str) -> str:
    """Copies to where nothing can be renamed, the saved model last.

    A server takes a folder for a version once its saved model is there.
    """
    target = os.path.join(base, folder.name)
    if fileio.exists(os.path.join(target, SAVED_MODEL)):
        raise manifest.BundleError(
            f"{target} exists and versions are never overwritten."
        )
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files.sort(key=lambda path: path.name == SAVED_MODEL)
    for path in files:
        place = os.path.join(target, path.relative_to(folder).as_posix())
        fileio.makedirs(os.path.dirname(place))
        io_utils.copy_file(str(path), place, overwrite=True)
    return target
