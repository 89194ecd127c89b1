"""Reads the tables that example generators wrote, as Arrow batches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from pipeline.example_tables import count_records, example_tables
from pipeline.list_columns import as_values
from pipeline.table_batches import ROW, to_arrow
from trainer.anomalies import DataError

BATCH_ROWS = 65_536
INGEST_FILE = "ingest.json"  # beside the splits: first rows of the parts
_PARQUET = example_gen_pb2.FORMAT_PARQUET


class Part(NamedTuple):
    """One file of a table.

    Attributes:
        path: of the file.
        is_parquet: or TFRecord of tf.Example.
        offset: rows before it, but for those of files that must be counted.
        counted_files: how many of those come before it.
    """

    path: str
    is_parquet: bool
    offset: int
    counted_files: int


def span_of(artifact: Any) -> tuple[int, int]:
    """Span and version of an artifact, as example generators mark them."""
    def number(name: str) -> int:
        if artifact.has_custom_property(name):
            return int(artifact.get_int_custom_property(name))
        return int(getattr(artifact, name, 0) or 0)

    return number("span"), number("version")


def _files(artifact: Any) -> list[str]:
    patterns = [
        os.path.join(artifact_utils.get_split_uri([artifact], split), "*")
        for split in artifact_utils.decode_split_names(artifact.split_names)
    ]
    return [
        metadata.path
        for match in FileSystems.match(patterns)
        for metadata in sorted(match.metadata_list, key=lambda m: m.path)
    ]


def _ingested(uri: str) -> dict[str, int]:
    path = os.path.join(uri, INGEST_FILE)
    if not FileSystems.exists(path):
        return {}
    with FileSystems.open(path) as file:
        offsets: dict[str, int] = json.loads(file.read())["offsets"]
    return offsets


def _num_rows(path: str) -> int:
    with _open(path) as file:
        return int(pq.ParquetFile(file).metadata.num_rows)


def _open(path: str) -> Any:
    return FileSystems.open(
        path, compression_type=CompressionTypes.UNCOMPRESSED
    )


def parts_of(artifacts: Sequence[Any]) -> list[Part]:
    """Files of Examples artifacts, in order of span, version and name."""
    parts: list[Part] = []
    offset = counted = 0
    for artifact in sorted(artifacts, key=span_of):
        files = _files(artifact)
        if examples_utils.get_payload_format(artifact) != _PARQUET:
            parts += [
                Part(path, False, offset, counted + place)
                for place, path in enumerate(files)
            ]
            counted += len(files)
            continue
        offsets = _ingested(artifact.uri)
        parts += [
            Part(
                path, True, offset + offsets.get(os.path.basename(path), 0),
                counted,
            )
            for path in files
        ]
        if artifact.has_custom_property("rows"):
            offset += artifact.get_int_custom_property("rows")
        else:
            offset += sum(map(_num_rows, files))
    return parts


def _shifted(batch: pa.Table, offset: int) -> pa.Table:
    if not offset:
        return batch
    place = batch.column_names.index(ROW)
    return batch.set_column(place, ROW, pc.add(batch[ROW], offset))


def _parquet_batches(path: str) -> Iterator[pa.Table]:
    with _open(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS):
            rows = pa.Table.from_batches([batch])
            is_listed = pa.types.is_list(rows.schema.field(ROW).type)
            yield as_values(rows) if is_listed else rows


class _ReadPart(beam.DoFn):
    def __init__(self, table: str, counted_files: list[str]) -> None:
        self.table, self.counted_files = table, counted_files

    def process(
        self, part: Part, counts: dict[str, int]
    ) -> Iterator[pa.Table]:
        before = self.counted_files[: part.counted_files]
        offset = part.offset + sum(counts[path] for path in before)
        batches = (
            _parquet_batches(part.path)
            if part.is_parquet
            else map(to_arrow, example_tables(part.path, self.table))
        )
        try:
            for batch in batches:
                yield _shifted(batch, offset)
        except DataError as error:
            # Beam makes a new exception from the first argument of this one.
            raise RuntimeError(str(error)) from error


class ReadTable(beam.PTransform):
    """Pipeline -> PCollection[pa.Table], at most BATCH_ROWS rows each.

    The columns are those of `to_arrow`; `_row` counts on over the files and
    artifacts, in order of span. Batches of tf.Examples lack columns that no
    row of theirs has.

    Args:
        examples: Examples artifacts of one table, of any spans: what
            TableExampleGen wrote, or tf.Examples of another generator.
        table: name of the table.
    """

    def __init__(self, examples: Sequence[Any], table: str) -> None:
        super().__init__()
        self.parts = parts_of(examples)
        self.table = table

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Reads each file by itself, so that runners can share them out."""
        counted = [part.path for part in self.parts if not part.is_parquet]
        counts = (
            pipeline
            | "CountedFiles" >> beam.Create(counted, reshuffle=True)
            | "CountRecords" >> beam.Map(count_records)
        )
        return (
            pipeline
            | "Parts" >> beam.Create(self.parts, reshuffle=True)
            | "ReadParts"
            >> beam.ParDo(
                _ReadPart(self.table, counted), beam.pvalue.AsDict(counts)
            )
        )
