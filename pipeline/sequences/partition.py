"""Brings all rows of a key together, through files instead of memory.

Each worker writes its rows, sorted by shard, to Arrow files in a folder that
all workers can reach, and hands on where each shard's rows are. Only those
places are grouped, so that a shuffle of any size costs little memory on every
runner. A bundle that is run again writes files of its own, and what the failed
one wrote is never named.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

_FLUSH_ROWS = 500_000  # rows that a worker holds before it writes them


class Part(NamedTuple):
    """Where some rows of a shard are: one record batch of a file."""

    path: str
    batch: int


def shards_of(keys: pa.Array, num_shards: int) -> np.ndarray:
    """[rows] int64 shard of each key, the same on every machine."""
    encoded = pc.dictionary_encode(pc.fill_null(keys, ""))
    shards = np.array(
        [
            zlib.crc32(key.encode()) % num_shards
            for key in encoded.dictionary.to_pylist()
        ],
        np.int64,
    )
    places = encoded.indices.to_numpy(zero_copy_only=False)
    return shards[places] if len(shards) else places.astype(np.int64)


def write_table(path: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Writes an Arrow file whose batches can be read one by one."""
    batches = list(batches)
    with FileSystems.create(path) as sink:
        with pa.ipc.new_file(sink, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


def read_parts(parts: Iterable[Part]) -> list[pa.Table]:
    """Reads the rows of some parts, each file opened once."""
    by_path: dict[str, list[int]] = {}
    for part in sorted(parts):
        by_path.setdefault(part.path, []).append(part.batch)
    tables = []
    for path, numbers in by_path.items():
        with FileSystems.open(path) as source:
            reader = pa.ipc.open_file(source)  # seeks, does not read all
            tables += [
                pa.Table.from_batches([reader.get_batch(n)]) for n in numbers
            ]
    return tables


class WriteParts(beam.DoFn):
    """Arrow tables -> (shard, Part), the rows being in files.

    Args:
        key: column of strings, one per row or in lists of one, that decides.
        num_shards: how many shards there are.
        folder: that all workers can write to.
    """

    def __init__(self, key: str, num_shards: int, folder: str) -> None:
        self._key, self._num_shards = key, num_shards
        self._folder = folder
        self._tables: list[pa.Table] = []
        self._rows = 0

    def start_bundle(self) -> None:
        """Forgets what a failed bundle left."""
        self._tables, self._rows = [], 0

    def process(self, table: pa.Table) -> Iterator[tuple[int, Part]]:
        """Takes one table in; writes when there are enough."""
        self._tables.append(table)
        self._rows += table.num_rows
        if self._rows >= _FLUSH_ROWS:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Writes the rest."""
        for pair in self._flush():
            yield WindowedValue(pair, GlobalWindow().max_timestamp(), [
                GlobalWindow()
            ])

    def _flush(self) -> Iterator[tuple[int, Part]]:
        if not self._rows:
            return
        # Files of one table may have different columns: a null has any type.
        table = pa.concat_tables(self._tables, promote=True).combine_chunks()
        self.start_bundle()
        shards = shards_of(_flat(table[self._key]), self._num_shards)
        order = np.argsort(shards, kind="stable")
        counts = np.bincount(shards, minlength=self._num_shards)
        present = np.flatnonzero(counts)
        table = table.take(pa.array(order)).combine_chunks()
        path = FileSystems.join(self._folder, f"{uuid.uuid4().hex}.arrow")
        stops = np.cumsum(counts[present])
        write_table(
            path,
            (
                table.slice(stop - count, count)
                .combine_chunks()
                .to_batches()[0]
                for stop, count in zip(stops, counts[present], strict=True)
            ),
        )
        for number, shard in enumerate(present):
            yield int(shard), Part(path, number)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    """[rows] the one string in each list, null where there is none."""
    values: Any = column.combine_chunks()
    if pa.types.is_list(values.type):
        values = pc.list_element(values, 0)
    return values


def every_shard(num_shards: int) -> list[tuple[int, None]]:
    """One element per shard, so that a shard without rows is seen too."""
    return [(shard, None) for shard in range(num_shards)]
