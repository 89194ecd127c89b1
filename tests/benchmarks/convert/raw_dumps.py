"""Writes small raw files, converts them and reads what came of it."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

from trainer.config import DataConfig
from trainer.tables import Dataset, load_dataset

NOW = 1_800_000_000


def write(
    folder: Path, name: str, lines: Sequence[str], encoding: str = "utf-8"
) -> Path:
    """Writes lines into folder/name, gzipped if the name ends in .gz."""
    folder.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in lines).encode(encoding)
    if name.endswith(".gz"):
        content = gzip.compress(content)
    (folder / name).write_bytes(content)
    return folder / name


def rows(out: Path, table: str) -> list[list[str]]:
    """All rows of a written table, the header first."""
    path = out / f"{table}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def load(out: Path) -> Dataset:
    """The tables as the trainer reads them."""
    return load_dataset(
        str(out), DataConfig(), rejects_dir=out / "rejects", now=NOW
    )
