"""Finds the files of a table and reads them by their format."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path

from schema import features
from trainer.anomalies import DataError, nearest, table_error
from trainer.tables.arrow_reader import read_parquet
from trainer.tables.csv_reader import read_csv
from trainer.tables.raw_table import RawTable
from trainer.tables.tfrecord_reader import read_tfrecord

READERS: dict[str, Callable[[Path, str], RawTable]] = {
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".parquet": read_parquet,
    ".tfrecord": read_tfrecord,
    ".tfrecord.gz": read_tfrecord,
}


def suffix_of(path: Path) -> str | None:
    """The known suffix of a file's name; None if it has none."""
    return next((end for end in READERS if path.name.endswith(end)), None)


def _missing_table(table: str, folder: Path) -> DataError:
    present = sorted(p.name for p in folder.glob("*") if suffix_of(p))
    close = nearest(table, [name.split(".")[0] for name in present])
    hint = next((n for n in present if close and n.startswith(close)), None)
    remedy = (
        f"no {table}.csv, .csv.gz, .parquet, .tfrecord or .tfrecord.gz in "
        f"{folder}; add it or name the file with --{table}."
    )
    if not folder.is_dir():
        remedy = f"there is no folder {folder}; check --data-dir."
    elif hint:
        remedy += f" Is it {hint}?"
    return DataError([table_error("missing_table", table, remedy)])


def _default_files(table: str, folder: Path) -> list[Path]:
    """`events.csv`, else shards `events-*.csv`, else `events/*.csv`."""
    for patterns in ([table], [f"{table}-*"], [f"{table}/*"]):
        found = [
            path
            for pattern in patterns
            for suffix in READERS
            for path in sorted(folder.glob(f"{pattern}{suffix}"))
        ]
        if found:
            return found
    return []


def _named_files(table: str, folder: Path, setting: str) -> list[Path]:
    """Files of a path or glob, taken as it stands or else from the folder."""
    for pattern in (setting, str(folder / setting)):
        found = [Path(name) for name in sorted(glob.glob(pattern))]
        files = [path for path in found if path.is_file()]
        if files:
            return files
    remedy = f"no file {setting!r}, here or in {folder}; check --{table}."
    raise DataError([table_error("missing_table", table, remedy)])


def _check_formats(table: str, files: Sequence[Path]) -> None:
    kinds = {suffix_of(path) for path in files}
    names = ", ".join(str(path) for path in files[:5])
    if None in kinds:
        remedy = f"{names}: a file's name must end in {', '.join(READERS)}."
        raise DataError([table_error("unknown_format", table, remedy)])
    if len(kinds) > 1:
        remedy = (
            f"found in several formats: {names}; keep one of them or name the "
            f"file with --{table}."
        )
        raise DataError([table_error("ambiguous_table", table, remedy)])


def find_files(table: str, data_dir: Path, setting: str | None) -> list[Path]:
    """Files of a table in order; none for an optional table that is absent.

    Args:
        table: name of the table.
        data_dir: where tables are unless the setting says otherwise.
        setting: a path or glob; None for the default names.

    Raises:
        DataError: missing_table, ambiguous_table or unknown_format.
    """
    if setting is not None:
        files = _named_files(table, data_dir, setting)
    else:
        files = _default_files(table, data_dir)
    if not files and table in features.REQUIRED_TABLES:
        raise _missing_table(table, data_dir)
    _check_formats(table, files)
    return files


def read_file(path: Path, table: str) -> RawTable:
    """Reads one file by the reader that its name asks for.

    Raises:
        DataError: if it cannot be read.
    """
    suffix = suffix_of(path)
    if suffix is None:
        raise ValueError(f"{path} does not end in {', '.join(READERS)}.")
    return READERS[suffix](path, table)
