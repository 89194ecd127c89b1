"""What can be wrong with raw files, and how much of it is put up with."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from trainer.anomalies import FIRST_ROWS

MAX_BAD_SHARE = 0.01  # of a file's lines


class ConversionError(ValueError):
    """The conversion cannot go on; the message says what to do."""


class BadLineError(ValueError):
    """A line that cannot be used; the message says why, in a few words."""


@dataclasses.dataclass
class FileReport:
    """What was read of one file.

    Attributes:
        path: of the file.
        lines: how many were read, blank ones and the header left out.
        rejected: how many of them cannot be used.
        first_bad: number and fault of the first of these.
    """

    path: Path
    lines: int = 0
    rejected: int = 0
    first_bad: list[str] = dataclasses.field(default_factory=list)

    def reject(self, number: int, reason: str) -> None:
        """Counts a bad line; `number` is its place in the file, from 1."""
        self.rejected += 1
        if len(self.first_bad) < FIRST_ROWS:
            self.first_bad.append(f"line {number:,} ({reason})")

    def __str__(self) -> str:
        more = ", ..." if self.rejected > len(self.first_bad) else ""
        return (
            f"{self.rejected:,} of the {self.lines:,} lines of "
            f"{self.path.name} cannot be used: {', '.join(self.first_bad)}"
            f"{more}"
        )

    def check(self) -> None:
        """Called at the end of the file.

        Raises:
            ConversionError: if it has no line, or too many bad ones.
        """
        if not self.lines:
            raise ConversionError(
                f"{self.path} has no lines; unpack or download it again."
            )
        if self.rejected > MAX_BAD_SHARE * self.lines:
            raise ConversionError(
                f"{self}. At most {MAX_BAD_SHARE:.0%} may be bad; unpack or "
                f"download {self.path} again, or is it of another data set?"
            )
