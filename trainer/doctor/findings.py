"""One result of the doctor, and how it is written down."""

from __future__ import annotations

import dataclasses
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was looked at, what was found, what to do about it.

    Args:
        level: ok; warn: works, with a consequence; fail: a run would fail.
        subject: what was looked at.
        found: what it is, and for warn and fail what that means.
        remedy: what to do; empty for ok.
    """

    level: Level
    subject: str
    found: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if (self.level == "ok") == bool(self.remedy):
            raise ValueError(
                f"A finding has a remedy unless it is ok, got {self.level} "
                f"with {self.remedy!r}."
            )

    def __str__(self) -> str:
        line = f"{self.level:<5} {self.subject:<12} {self.found}"
        return f"{line}\n{'':18} -> {self.remedy}" if self.remedy else line
