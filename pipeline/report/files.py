"""The files of artifacts, wherever they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.report.metadata import Artifact


def read(artifact: Artifact | None, name: str) -> bytes | None:
    """A file of an artifact; None where artifact or file is missing."""
    if artifact is None:
        return None
    if "://" in artifact.uri:
        return _read_remote(f"{artifact.uri}/{name}")
    path = Path(artifact.uri, name)
    return path.read_bytes() if path.is_file() else None


def read_json(artifact: Artifact | None, name: str) -> Any:
    """The content of a JSON file; None where there is none."""
    content = read(artifact, name)
    return None if content is None else json.loads(content)


def _read_remote(uri: str) -> bytes | None:
    # Seconds to import, and needed only where artifacts are not on a disk.
    from apache_beam.io.filesystems import FileSystems

    if not FileSystems.exists(uri):
        return None
    with FileSystems.open(uri) as file:
        return bytes(file.read())
