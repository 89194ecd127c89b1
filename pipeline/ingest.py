"""Copies the files of a table into Parquet parts, by Beam.

Each file is one element, read as a stream: memory does not grow with it. Rows
are numbered in their file; a last small step tells how many rows stand before
each part.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.list_columns import as_lists, with_columns
from pipeline.table_batches import to_arrow
from pipeline.table_files import BLOCK_ROWS, read_blocks
from trainer.anomalies import Anomaly, DataError

PART_ROWS = 1_000_000  # at most


@dataclasses.dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        place: of the file among those of the table.
        rows: of the file, malformed ones included.
        parts: names of what was written.
        anomalies: why it could not be read.
    """

    place: int
    rows: int
    parts: list[str]
    anomalies: list[Anomaly]


def anomaly_of(values: dict[str, Any]) -> Anomaly:
    """The inverse of dataclasses.asdict, from JSON."""
    return Anomaly(**{**values, "first_rows": tuple(values["first_rows"])})


class _Parts:
    """Writes the parts of one file, a new one whenever one is full."""

    def __init__(self, folder: str, place: int) -> None:
        self.folder, self.place = folder, place
        self.names: list[str] = []
        self.rows = 0
        self._room = 0
        self._writer: pq.ParquetWriter | None = None
        self._file: Any = None

    def _open(self, kinds: pa.Schema) -> None:
        self.close()
        name = f"part-{self.place:05d}-{len(self.names):05d}.parquet"
        self._file = FileSystems.create(
            FileSystems.join(self.folder, name),
            compression_type=CompressionTypes.UNCOMPRESSED,
        )
        self._writer = pq.ParquetWriter(self._file, kinds, compression="zstd")
        self.names.append(name)
        self._room = PART_ROWS

    def add(self, rows: pa.Table) -> None:
        """Appends rows as one row group, or as two in two parts."""
        while rows.num_rows or not self.names:
            if not self._room or self._writer is None:
                self._open(rows.schema)
            head = rows.slice(0, self._room)
            if self._writer is not None:
                self._writer.write_table(head)
            self.rows += head.num_rows
            self._room -= head.num_rows
            rows = rows.slice(head.num_rows)

    def close(self) -> None:
        """Ends the part that is open."""
        if self._writer is not None:
            self._writer.close()
            self._file.close()
        self._writer = None


class _CopyFile(beam.DoFn):
    def __init__(self, folder: str, table: str, columns: list[str]) -> None:
        self.folder, self.table, self.columns = folder, table, columns

    def _copy(self, path: str, parts: _Parts) -> None:
        for block in read_blocks(path, self.table):
            rows = with_columns(to_arrow(block), self.columns, self.table)
            for start in range(0, max(rows.num_rows, 1), BLOCK_ROWS):
                parts.add(as_lists(rows.slice(start, BLOCK_ROWS)))

    def process(self, element: tuple[int, str]) -> Iterator[FileReport]:
        place, path = element
        parts = _Parts(self.folder, place)
        anomalies: list[Anomaly] = []
        try:
            self._copy(path, parts)
        except DataError as error:
            anomalies += error.anomalies
        finally:
            parts.close()
        yield FileReport(place, parts.rows, parts.names, anomalies)


def _summary(reports: list[FileReport]) -> dict[str, Any]:
    offsets: dict[str, int] = {}
    anomalies: list[Anomaly] = []
    rows = 0
    for report in sorted(reports, key=lambda report: report.place):
        offsets |= dict.fromkeys(report.parts, rows)
        anomalies += report.anomalies
        rows += report.rows
    return {
        "rows": rows,
        "offsets": offsets,
        "anomalies": [dataclasses.asdict(a) for a in anomalies],
    }


def _write_summary(reports: list[FileReport], path: str) -> None:
    with FileSystems.create(path) as file:
        file.write(json.dumps(_summary(reports), indent=1).encode())


class CopyTable(beam.PTransform):
    """Pipeline -> parts in `folder`, and a summary of them at `summary_path`.

    The summary is JSON: rows; offsets, part -> rows of the files before its
    file; anomalies, why files could not be read.

    Args:
        paths: files of the table in order.
        folder, summary_path: where to write.
        table: name of the table.
        columns: that each part has, null where its file lacks them.
    """

    def __init__(
        self, paths: Sequence[str], folder: str, summary_path: str, *,
        table: str, columns: list[str],
    ) -> None:
        super().__init__()
        self.paths = list(paths)
        self.summary_path = summary_path
        self.copy_file = _CopyFile(folder, table, columns)

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """One element per file; rows never pass from step to step."""
        return (
            pipeline
            | "Files"
            >> beam.Create(list(enumerate(self.paths)), reshuffle=True)
            | "CopyFile" >> beam.ParDo(self.copy_file)
            | "Reports" >> beam.combiners.ToList()
            | "WriteSummary" >> beam.Map(_write_summary, self.summary_path)
        )
