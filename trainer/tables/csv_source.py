"""The bytes of a CSV file as a stream of UTF-8 that ends in a line end."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from typing import BinaryIO, NoReturn

from trainer.anomalies import DataError, table_error

REPLACEMENT = "\ufffd"
# Stands for bytes that are no UTF-8 until the field is known that holds them:
# code points that Unicode keeps out of texts.
DAMAGE_MARK = "\ufdd3\ufdd7"
_GZIP_MAGIC = b"\x1f\x8b"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHUNK_BYTES = 1 << 22  # read and decoded at a time
_HEADER_BYTES = 1 << 20  # no header can be longer
_TAIL_BYTES = 64
_MARK_DAMAGE = "interest_towers_mark_damage"  # name of the error handler


def _mark_damage(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return DAMAGE_MARK, error.end


codecs.register_error(_MARK_DAMAGE, _mark_damage)


class CsvSource(io.RawIOBase):
    """Reads a file, compressed or not, block by block.

    Attributes:
        label: of the file, for messages.
        table: name of the table, for messages.
        has_damage: bytes that are no UTF-8 were met so far; DAMAGE_MARK stands
            in their places.
    """

    def __init__(self, file: BinaryIO, label: str, table: str) -> None:
        """Args: file: open, at its start; gzip is told by its first bytes."""
        super().__init__()
        self.label, self.table = label, table
        self.has_damage = False
        self._rest = b""  # of a character that is not read wholly yet
        self._tail = b""
        self._is_at_end = False
        try:
            magic = file.read(len(_GZIP_MAGIC))
            file.seek(0)
        except OSError as error:
            self._fail_to_read(error)
        self._file: BinaryIO = file
        if magic == _GZIP_MAGIC:
            self._file = gzip.GzipFile(fileobj=file)  # type: ignore
        self._buffer = memoryview(self._first_chunk())

    def _fail(self, name: str, remedy: str) -> NoReturn:
        raise DataError([table_error(name, self.table, remedy)])

    def _fail_to_read(self, error: OSError) -> NoReturn:
        self._fail(
            "unreadable_file",
            f"{self.label} cannot be read: {error.strerror or error}.",
        )

    def _raw_chunk(self) -> bytes:
        try:
            return self._file.read(_CHUNK_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self._fail(
                "truncated_gzip", f"{self.label} cannot be decompressed to "
                f"its end ({error}); copy or export it again.",
            )
        except OSError as error:
            self._fail_to_read(error)

    def _first_chunk(self) -> bytes:
        start = self._raw_chunk()
        if start.startswith(_UTF16_MARKS):
            self._fail(
                "wrong_encoding",
                f"{self.label} is UTF-16; save it as UTF-8.",
            )
        start = start.removeprefix(codecs.BOM_UTF8)
        while not start.strip():
            start = self._raw_chunk()
            if not start:
                self._fail(
                    "empty_file", f"{self.label} is empty; a table starts "
                    "with a row of column names.",
                )
        return self._decoded(start)

    def _decoded(self, chunk: bytes) -> bytes:
        """The chunk as UTF-8, without what is left of its last character."""
        data = self._rest + chunk
        text, used = codecs.utf_8_decode(data, _MARK_DAMAGE, not chunk)
        self._rest = data[used:]
        if DAMAGE_MARK in text:
            self.has_damage = True
            return text.encode()
        return data[:used]

    def _next_chunk(self) -> bytes:
        chunk = b""
        while not chunk and not self._is_at_end:
            raw = self._raw_chunk()
            chunk = self._decoded(raw)
            if not raw:
                self._is_at_end = True
                if not (self._tail + chunk).endswith((b"\n", b"\r")):
                    chunk += b"\n"
        return chunk

    @property
    def head(self) -> str:
        """The start of the text, before any of it is read."""
        return bytes(self._buffer[:_HEADER_BYTES]).decode("utf-8", "replace")

    @property
    def last_line(self) -> bytes:
        """The end of the last line that was read."""
        lines = self._tail.removesuffix(b"\n").rpartition(b"\n")
        return lines[-1].strip(b"\r\n")

    def readable(self) -> bool:
        """True, as Arrow asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, all that are left where fewer are.

        Raises:
            DataError: truncated_gzip or unreadable_file.
        """
        pieces: list[bytes] = []
        while size:
            if not self._buffer:
                self._buffer = memoryview(self._next_chunk())
                if not self._buffer:
                    break
            place = size if size > 0 else len(self._buffer)
            pieces.append(bytes(self._buffer[:place]))
            self._buffer = self._buffer[place:]
            size -= len(pieces[-1]) if size > 0 else 0
            self._tail = (self._tail + pieces[-1][-_TAIL_BYTES:])[-_TAIL_BYTES:]
        return b"".join(pieces)
