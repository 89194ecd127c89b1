"""Data sets by name, and the protocol that each is measured by."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from trainer.settings.options import did_you_mean

ROOT_VARIABLE = "INTEREST_TOWERS_DATA"
_LEAVE_ONE_OUT, _COLUMN = "leave_one_out", "column"
SPLITS = {
    "amazon-beauty": _LEAVE_ONE_OUT,
    "amazon-sports": _LEAVE_ONE_OUT,
    "amazon-2scenarios": _LEAVE_ONE_OUT,
    "ml-1m": _LEAVE_ONE_OUT,
    "ml-100k": _LEAVE_ONE_OUT,
    "caixin-news-zh": _COLUMN,
    "microlens-50k": _COLUMN,
}


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A folder of tables and the split that it is measured by."""

    name: str
    folder: Path
    split: str


def data_root(flag: str | None) -> Path | None:
    """The folder of the named sets: the flag, else the variable."""
    named = flag or os.environ.get(ROOT_VARIABLE)
    return Path(named) if named else None


def find(name: str, root: Path | None, split: str | None = None) -> DataSet:
    """The data set of a name, or of a path.

    Args:
        name: one of `SPLITS`, another folder of `root`, or a path.
        root: where the named sets are.
        split: instead of the set's own protocol.

    Raises:
        ValueError: if there is no such set, or no root for a known one.
    """
    if name not in SPLITS and Path(name).is_dir():
        path = Path(name).resolve()
        return DataSet(path.name, path, split or _LEAVE_ONE_OUT)
    if os.sep in name:
        raise ValueError(f"--data: there is no folder {name}.")
    folders = []
    if root is not None and root.is_dir():
        folders = [path.name for path in root.iterdir() if path.is_dir()]
    if name not in SPLITS and name not in folders:
        known = [*SPLITS, *folders]
        raise ValueError(
            f"--data: {name!r} is neither a folder nor one of "
            f"{', '.join(dict.fromkeys(known))}.{did_you_mean(name, known)}"
        )
    if root is None:
        raise ValueError(
            f"--data {name} needs to know where the data sets are: give "
            f"--data-root DIR or set the variable {ROOT_VARIABLE}."
        )
    if name not in folders:
        raise ValueError(
            f"there is no folder {root / name}; mend --data-root or the "
            f"variable {ROOT_VARIABLE}, or give --data the path of the set."
        )
    own = SPLITS.get(name, _LEAVE_ONE_OUT)
    return DataSet(name, (root / name).resolve(), split or own)
