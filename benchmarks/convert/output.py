"""Writes the tables of the data contract, all of them or none."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.convert.faults import ConversionError
from schema import features

_TABLES = (features.EVENTS, features.ITEMS, features.USERS)
_GZIP_LEVEL = 6  # a tenth larger than the smallest, in half the time


def table_file(table: str) -> str:
    """Name of a table's file."""
    return f"{table}.csv.gz"


def check_free(out: Path, overwrite: bool) -> None:
    """Refuses a folder that holds what must not be lost.

    Raises:
        ConversionError: if it is a file, if it holds anything and may not be
            overwritten, or anything but tables of an earlier conversion.
    """
    if out.exists() and not out.is_dir():
        raise ConversionError(f"{out} is a file; give a folder as OUT.")
    found = sorted(path.name for path in out.iterdir()) if out.exists() else []
    if not found:
        return
    others = set(found) - {table_file(table) for table in _TABLES}
    if others:
        raise ConversionError(
            f"{out} holds {sorted(others)[0]!r}, which is no table of an "
            "earlier conversion; give another OUT."
        )
    if not overwrite:
        raise ConversionError(
            f"{out} is not empty: {', '.join(found)}. Give another OUT, or "
            "--overwrite to replace these."
        )


@contextlib.contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """A new folder to write into, which takes OUT's place at the end.

    If anything fails, the new folder is removed, and OUT is as it was.
    """
    out = out.resolve()
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        yield partial
        _swap(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _swap(partial: Path, out: Path) -> None:
    if not out.exists():
        partial.rename(out)
        return
    earlier = out.with_name(f".{out.name}.{os.getpid()}.earlier")
    out.rename(earlier)
    try:
        partial.rename(out)
    except OSError:
        earlier.rename(out)
        raise
    shutil.rmtree(earlier)


@contextlib.contextmanager
def table_rows(folder: Path, columns: Sequence[str]) -> Iterator[Any]:
    """A csv writer of a new table; the same rows give the same bytes.

    Args:
        folder: the file, folder / table_file(TABLE).
        columns: names, the first row.
    """
    with (
        folder.open("xb") as file,
        # No name and no time in the gzip header: bytes repeat.
        gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        yield writer


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Writes all rows of a table."""
    with table_rows(path, columns) as writer:
        writer.writerows(rows)
