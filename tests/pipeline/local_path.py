"""Sample data with every kind of bad row, read both ways."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pyarrow as pa

from pipeline.table_batches import to_arrow
from schema import features
from trainer.config import DataConfig
from trainer.sample.__main__ import main as write_sample
from trainer.tables import Dataset, load_dataset
from trainer.tables.files import find_files, read_file
from trainer.tables.raw_table import RawTable, concatenate

NOW = 1_800_000_000


def sample_data(folder: Path, *more: str) -> Path:
    """A small data folder with bad rows and odd texts."""
    size = ["--users", "150", "--items", "400", "--bad-rows", "0.009"]
    write_sample([str(folder), *size, *more])
    return folder


def read_raw(data_dir: Path) -> dict[str, RawTable]:
    """The tables of a folder that are there."""
    found = {
        name: find_files(name, data_dir, None) for name in features.COLUMNS
    }
    return {
        name: concatenate([read_file(file, name) for file in files])
        for name, files in found.items()
        if files
    }


def read_locally(
    data_dir: Path,
    config: DataConfig,
    rejects: Path,
    *,
    reads_text: bool = False,
) -> Dataset:
    """What `trainer.task` reads."""
    return load_dataset(
        str(data_dir), config, rejects_dir=rejects, now=NOW,
        reads_text=reads_text,
    )


def batches(raw: RawTable, rows: int) -> list[pa.Table]:
    """A table in tiny batches, each with memory of its own."""
    table = to_arrow(raw)
    return [
        table.take(list(range(at, min(at + rows, table.num_rows))))
        for at in range(0, table.num_rows, rows)
    ]


def as_collections(
    pipeline: beam.Pipeline, data_dir: Path, rows: int
) -> dict[str, beam.PCollection]:
    """All tables of a folder as PCollections of tiny batches."""
    return {
        name: pipeline | name >> beam.Create(batches(raw, rows))
        for name, raw in read_raw(data_dir).items()
    }
