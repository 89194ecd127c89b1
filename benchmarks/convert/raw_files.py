"""Finds the files of a dump in the folder that a person has unpacked."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.convert.faults import ConversionError

_SHOWN_NAMES = 20  # of files, in a message
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar")


@dataclasses.dataclass(frozen=True)
class RawFolder:
    """A folder, and the name of the dump that it should hold.

    Attributes:
        path: of the folder.
        dump: name of the dump and of who publishes it, for messages.
    """

    path: Path
    dump: str

    def __post_init__(self) -> None:
        if not self.path.is_dir():
            what = "is a file" if self.path.exists() else "does not exist"
            raise ConversionError(
                f"{self.path} {what}; RAW is the folder of the unpacked files "
                f"of {self.dump}."
            )

    def find(self, *patterns: str) -> list[Path]:
        """Files whose whole name matches one of the patterns, by name."""
        return sorted(
            path
            for path in self.path.iterdir()
            if path.is_file() and _matches(path, patterns)
        )

    def find_one(self, *patterns: str, wanted: str) -> Path:
        """The one file whose name matches.

        Args:
            patterns: regular expressions of whole names.
            wanted: what to look for, for messages.

        Raises:
            ConversionError: if there is none, or more than one.
        """
        found = self.find(*patterns)
        if len(found) == 1:
            return found[0]
        if not found:
            raise self.missing(wanted, patterns)
        names = ", ".join(path.name for path in found)
        raise ConversionError(
            f"{self.path} has more than one {wanted}: {names}. Put the one "
            "that you mean into a folder of its own, with what belongs to it."
        )

    def missing(
        self, wanted: str, patterns: Sequence[str]
    ) -> ConversionError:
        """The error that says what was looked for, found, and to be done."""
        entries = sorted(self.path.iterdir())
        names = [f"{p.name}/" if p.is_dir() else p.name for p in entries]
        found = ", ".join(names[:_SHOWN_NAMES]) or "nothing"
        if len(names) > _SHOWN_NAMES:
            found += f" and {len(names) - _SHOWN_NAMES} others"
        remedy = f"Get {self.dump}, unpack it, and give the folder of its files"
        nested = [
            folder
            for folder in entries
            if folder.is_dir()
            and any(_matches(path, patterns) for path in folder.iterdir())
        ]
        if nested:
            remedy = f"Give {nested[0]}, which has it"
        elif any(name.endswith(_ARCHIVES) for name in names):
            remedy = "Unpack it, and give the folder of its files"
        return ConversionError(
            f"{self.path} has no {wanted}; found: {found}. {remedy}."
        )


def _matches(path: Path, patterns: Sequence[str]) -> bool:
    return any(re.fullmatch(pattern, path.name) for pattern in patterns)
