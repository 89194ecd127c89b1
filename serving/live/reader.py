"""Follows a journal: what is new since the last look."""

from __future__ import annotations

import os
from pathlib import Path

from serving.live import frames
from serving.live.journal import Header, Journal, Record, decoded


class JournalReader:
    """Reads each record once; a look at an unchanged journal costs a `stat`.

    Args:
        base: folder of the version folders.
    """

    def __init__(self, base: Path) -> None:
        self._journal = Journal(base)
        self._seen: object = None
        self._header: Header | None = None
        self._end = 0

    @property
    def header(self) -> Header | None:
        """Of the journal as last read; None if there was none."""
        return self._header

    @property
    def has_news(self) -> bool:
        """Whether the file is another one than at the last look."""
        try:
            return _state(self._journal.path) != self._seen
        except OSError:  # e.g. a share that went away
            return False

    def news(self) -> list[Record]:
        """Records since the last look; after a fold, all that are left.

        Raises:
            JournalError: as of `Journal.read`; once for each change.
        """
        state = _state(self._journal.path)
        self._seen = state
        if state is None:
            return []
        with self._journal.path.open("rb") as file:
            header, begin = self._journal.begun(file)
            if header != self._header:
                self._header, self._end = header, begin
            file.seek(self._end)
            payloads, self._end = frames.parsed(
                file.read(), self._journal.path, self._end
            )
        return [record for each in payloads for record in decoded(each)]


def _state(path: Path) -> object:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
