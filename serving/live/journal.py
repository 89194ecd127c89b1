"""The journal: what was added to and removed from a catalogue, on disk.

    MODEL_BASE/live/journal      frames, see `serving.live.frames`
    MODEL_BASE/live/lock         one writer at a time

The first frame is the header, each other one the records of one command, all
of them or none. A command is done when its frame is on the disk. The journal
belongs to a folder of versions and not to one of them: each version knows how
much of it it has, and takes the rest.

`fold` keeps the last record of each item only. What it drops no version needs,
old or new: the last record alone says whether an item is there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import io
import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from serving.disk import FULL, fsync
from serving.live import frames
from serving.live.frames import JournalError

ADD, REMOVE = "add", "remove"
FORMAT = 1
FOLDER, NAME = "live", "journal"
_LOCK = "lock"
_INCOMING = ".incoming"


@dataclasses.dataclass(frozen=True)
class Record:
    """One item that came or went.

    Attributes:
        kind: ADD or REMOVE.
        item_id: of the item.
        columns: of an item that came, by name, without empty ones.
        available_from: unix seconds, 0 unknown.
        position: in the journal, from 1; 0 before it is written.
        time: unix seconds when it was written.
    """

    kind: str
    item_id: str
    columns: dict[str, str] = dataclasses.field(default_factory=dict)
    available_from: int = 0
    position: int = 0
    time: float = 0.0


@dataclasses.dataclass(frozen=True)
class Header:
    """What a journal says about itself.

    Attributes:
        id: of the journal; another one counts its positions anew.
        model: name of the folder of versions that it stands in.
        position: of the last record when the file was begun.
        generation: how often the journal was folded.
    """

    id: str
    model: str
    position: int = 0
    generation: int = 0
    format: int = FORMAT


def last_records(records: Sequence[Record]) -> list[Record]:
    """The last one of each item, in the order of the first ones."""
    return list({record.item_id: record for record in records}.values())


class Journal:
    """The journal of a model; there need not be one yet.

    Args:
        base: folder of the version folders.
    """

    def __init__(self, base: Path) -> None:
        self.model = base.name
        self.folder = base / FOLDER
        self.path = self.folder / NAME

    def append(self, records: Sequence[Record]) -> list[Record]:
        """Writes records; once it returns they outlive any crash.

        Returns:
            The records as written.

        Raises:
            JournalError: if the journal is damaged or another model's, or the
                disk is full; then nothing was written.
        """
        with self._only_writer():
            header, known, end = self._open()
            first = _position(header, known) + 1
            now = round(time.time(), 3)
            written = [
                dataclasses.replace(record, position=first + at, time=now)
                for at, record in enumerate(records)
            ]
            _append(self.path, end, frames.framed(_encoded(written)))
        return written

    def read(self) -> tuple[Header | None, list[Record]]:
        """The header, None where there is no journal, and all records.

        Raises:
            JournalError: as of `append`.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None, []
        header, records, _ = self._parsed(content)
        return header, records

    def begun(self, file: BinaryIO) -> tuple[Header, int]:
        """The header of the open journal, and where it ends.

        Raises:
            JournalError: as of `append`.
        """
        payload, end = frames.first(file, self.path)
        return self._header(payload), end

    def fold(self) -> int:
        """Drops the records that later ones have made void.

        Returns:
            How many were dropped.

        Raises:
            JournalError: as of `append`.
        """
        with self._only_writer():
            if not self.path.exists():
                return 0
            header, records, _ = self._open()
            kept = last_records(records)
            if len(kept) == len(records):
                return 0
            self._write(
                dataclasses.replace(
                    header,
                    position=_position(header, records),
                    generation=header.generation + 1,
                ),
                kept,
            )
            return len(records) - len(kept)

    def _open(self) -> tuple[Header, list[Record], int]:
        """The journal, made if missing, and where its sound part ends."""
        if not self.path.exists():
            self._write(Header(uuid.uuid4().hex, self.model), [])
        return self._parsed(self.path.read_bytes())

    def _parsed(self, content: bytes) -> tuple[Header, list[Record], int]:
        header, begin = self.begun(io.BytesIO(content))
        payloads, end = frames.parsed(content[begin:], self.path, begin)
        records = [each for part in payloads for each in decoded(part)]
        return header, records, end

    def _header(self, payload: bytes) -> Header:
        try:
            header = Header(**json.loads(payload))
        except (TypeError, ValueError) as error:
            raise JournalError(
                f"{self.path} is no journal of this release: {error}. Move "
                "it away, or use the release that wrote it."
            ) from error
        if header.format != FORMAT:
            raise JournalError(
                f"{self.path} has format {header.format}, this release reads "
                f"{FORMAT}; use the release that wrote it."
            )
        if header.model != self.model:
            raise JournalError(
                f"{self.path} is the journal of {header.model!r} and stands "
                f"in the folder of {self.model!r}; move it to where it "
                "belongs, or give the folder its name back."
            )
        return header

    def _write(self, header: Header, records: Sequence[Record]) -> None:
        """Puts a new file in the place of the journal, at once."""
        content = frames.framed(json.dumps(dataclasses.asdict(header)).encode())
        if records:
            content += frames.framed(_encoded(records))
        incoming = self.folder / _INCOMING
        with _telling_of_a_full_disk(self.path):
            incoming.write_bytes(content)
            fsync(incoming)
            os.replace(incoming, self.path)
            fsync(self.folder)
            fsync(self.folder.parent)

    @contextlib.contextmanager
    def _only_writer(self) -> Iterator[None]:
        with _telling_of_a_full_disk(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK).open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def decoded(payload: bytes) -> list[Record]:
    """Records of a frame.

    Raises:
        JournalError: if they are not of this release.
    """
    try:
        return [Record(**fields) for fields in json.loads(payload)]
    except (TypeError, ValueError) as error:
        raise JournalError(
            f"The journal has records that this release cannot read: {error}. "
            "Use the release that wrote them."
        ) from error


def _encoded(records: Sequence[Record]) -> bytes:
    return json.dumps([dataclasses.asdict(each) for each in records]).encode()


def _position(header: Header, records: Sequence[Record]) -> int:
    return max([header.position, *(record.position for record in records)])


def _append(path: Path, end: int, frame: bytes) -> None:
    """Puts a frame behind the sound part of a file, whatever stands there."""
    with _telling_of_a_full_disk(path), path.open("r+b", buffering=0) as file:
        file.truncate(end)
        try:
            _write_all(file, end, frame)
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def _write_all(file: RawIOBase, at: int, content: bytes) -> None:
    file.seek(at)
    left = memoryview(content)
    while left:
        left = left[file.write(left) or 0 :]


@contextlib.contextmanager
def _telling_of_a_full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise JournalError(
            f"No space to write {path}: nothing was added or removed; free "
            f"some and run the same command again. Cause: {error}"
        ) from error
