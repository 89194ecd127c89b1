"""Ids of a version's items beside its graph, read without TensorFlow.

`serving.index remove` asks for them, and should not take the five seconds of
a core that TensorFlow takes to start.
"""

from __future__ import annotations

import json
from pathlib import Path

from serving.manifest import EXTRA, BundleError

_PATH = Path(EXTRA) / "item_ids.json"


def write(version_dir: Path) -> None:
    """Writes them down, as the version's variables have them."""
    path = version_dir / _PATH
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(_of_variables(version_dir)), encoding="utf-8")


def read(version_dir: Path) -> list[str]:
    """Ids by row; of a version of an earlier release from its variables.

    Raises:
        BundleError: if the file is damaged.
    """
    path = version_dir / _PATH
    try:
        ids: list[str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _of_variables(version_dir)
    except ValueError as error:
        raise BundleError(
            f"{path} is damaged: {error}; export the version again."
        ) from error
    return ids


def _of_variables(version_dir: Path) -> list[str]:
    from serving.stock import item_ids_of

    return [each.decode() for each in item_ids_of(version_dir)]
