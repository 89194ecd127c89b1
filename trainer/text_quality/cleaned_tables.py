"""Writes a folder of tables with clean items, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from schema import features
from trainer.tables.files import suffix_of
from trainer.tables.review import Review
from trainer.text_quality.cleaning import Cleaning

BOILERPLATE_FILE = "boilerplate.txt"
_REJECTS = "rejects"


def refuse_used_folder(output: Path) -> None:
    """Refuses to write where something is.

    Raises:
        FileExistsError: if there is a file, or a folder that is not empty.
    """
    is_empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not is_empty:
        raise FileExistsError(
            f"{output} is there already; remove it or give another --output."
        )


@contextmanager
def _whole_folder(output: Path) -> Iterator[Path]:
    """A folder that takes the name of `output` if all goes well."""
    partial = output.with_name(f".{output.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        yield partial
        os.replace(partial, output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_items(review: Review, cleaning: Cleaning, folder: Path) -> None:
    """items.csv: every column of the rows that are kept, cleaned or not."""
    columns = {
        name: pa.array(cleaning.columns[name], pa.string())
        if name in cleaning.columns else review.kept(values)
        for name, values in review.table.columns.items()
    }
    path = folder / f"{features.ITEMS}.csv"
    pa.csv.write_csv(pa.table(columns), path)  # strings are quoted, all


def _copy_files(table: str, files: Sequence[Path], folder: Path) -> None:
    """Under the default names: `events.csv`, or `events-00000.csv` and on."""
    for number, file in enumerate(files):
        part = f"-{number:05}" if len(files) > 1 else ""
        shutil.copyfile(file, folder / f"{table}{part}{suffix_of(file)}")


def write_tables(
    output: Path,
    review: Review,
    cleaning: Cleaning,
    others: Mapping[str, Sequence[Path]],
) -> None:
    """Writes the clean items beside copies of the other tables.

    Beside them: boilerplate.txt, which cleans new items alike, and
    rejects/items.csv where rows of the items table were bad.

    Args:
        output: folder; not there, or empty.
        review: of the items table.
        cleaning: of the rows that it keeps.
        others: table -> its files.

    Raises:
        OSError: if it cannot be written; then nothing of it is there.
    """
    with _whole_folder(output) as folder:
        _write_items(review, cleaning, folder)
        for table, files in others.items():
            _copy_files(table, files, folder)
        review.write_rejects(folder / _REJECTS)
        lines = "".join(f"{line}\n" for line in cleaning.boilerplate)
        (folder / BOILERPLATE_FILE).write_text(lines, encoding="utf-8")


def read_boilerplate(path: Path) -> list[str]:
    """The sentences of a file, one in a line.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no text.
    """
    try:
        lines: Iterable[str] = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no UTF-8 text; give the {BOILERPLATE_FILE} of an "
            "earlier --output."
        ) from error
    return [line for line in lines if line]
