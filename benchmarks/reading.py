"""Data sets for benchmarks: the tables, rejects thrown away."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from trainer.config import RunConfig
from trainer.prepare import Prepared, prepare
from trainer.tables import load_dataset


def read(data_dir: str, config: RunConfig) -> Prepared:
    """Split, ordered and coded tables of a folder."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = load_dataset(
            data_dir, config.data,
            rejects_dir=Path(folder), now=int(time.time()),
        )
    return prepare(dataset, config)
