"""Reads raw files line by line, under a progress bar."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from tqdm import tqdm

from benchmarks.convert.faults import (
    BadLineError,
    ConversionError,
    FileReport,
)

_GZIP_MAGIC = b"\x1f\x8b"
_LINES_PER_UPDATE = 1024  # of the progress bar
_SHOWN_CHARS = 80  # of a line, in a message
_Parsed = TypeVar("_Parsed")


def _raw_lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Lines of a file open at its start, gzip told by its first bytes."""
    magic = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    content = file
    if magic == _GZIP_MAGIC:
        content = cast(BinaryIO, gzip.GzipFile(fileobj=file))
    try:
        yield from content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConversionError(
            f"{path} cannot be decompressed to its end ({error}); download "
            "it again."
        ) from error


def _counted_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that is not blank."""
    with path.open("rb") as file, tqdm(
        total=path.stat().st_size, desc=path.name, unit="B",
        unit_scale=True, leave=False, mininterval=1.0,
    ) as bar:
        for number, line in enumerate(_raw_lines(file, path), 1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not number % _LINES_PER_UPDATE:
                bar.update(file.tell() - bar.n)
            if line.strip():
                yield number, line.rstrip(b"\r\n")
        bar.update(file.tell() - bar.n)


class Reader:
    """Reads files and keeps a report on each.

    Attributes:
        reports: of the files read to their ends, by path.
    """

    def __init__(self) -> None:
        self.reports: dict[Path, FileReport] = {}

    def rows(
        self, path: Path, parse: Callable[[str], _Parsed], *,
        encoding: str = "utf-8", header: str = "",
    ) -> Iterator[_Parsed]:
        """What `parse` makes of each line that is not blank.

        Args:
            path: of a file, gzipped or not.
            parse: raises BadLineError for a line that cannot be used.
            encoding: of the text.
            header: the first line, which is no row; "" if there is none.

        Raises:
            ConversionError: if the file is empty, truncated, has another
                header, or if too many lines are bad.
        """
        report = FileReport(path)
        lines = _counted_lines(path)
        if header:
            _check_header(path, next(lines, (0, b""))[1], header)
        for number, line in lines:
            report.lines += 1
            try:
                row = parse(line.decode(encoding))
            except UnicodeDecodeError:
                report.reject(number, f"is no {encoding} text")
                continue
            except BadLineError as error:
                report.reject(number, str(error))
                continue
            yield row
        report.check()
        self.reports[path] = report


def _check_header(path: Path, line: bytes, header: str) -> None:
    found = line.decode("utf-8", "replace")
    if found != header:
        raise ConversionError(
            f"{path} starts with {found[:_SHOWN_CHARS]!r}, and {header!r} "
            "was looked for; is it of another data set?"
        )
