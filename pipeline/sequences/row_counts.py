"""How many rows went in, as far as artifacts tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from tfx.types.artifact import Artifact

from pipeline.example_tables import count_records
from pipeline.reading import parts_of
from pipeline.sequences.summary import read_json, write_json

ROWS = "rows"  # custom property of table examples


def rows_of(
    artifacts: Sequence[Artifact],
    make_pipeline: Callable[[], beam.Pipeline],
    folder: str,
) -> int:
    """Rows of a table; tf.Examples of other generators are counted by Beam.

    Args:
        artifacts: of one table.
        make_pipeline: only called where there is something to count.
        folder: for an intermediate file.
    """
    silent = [a for a in artifacts if not a.has_custom_property(ROWS)]
    rows = sum(
        artifact.get_int_custom_property(ROWS)
        for artifact in artifacts
        if artifact.has_custom_property(ROWS)
    )
    if not silent:
        return rows
    path = FileSystems.join(folder, "rows.json")
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create([part.path for part in parts_of(silent)])
            | beam.Reshuffle()
            | beam.Map(count_records)
            | beam.Values()
            | beam.CombineGlobally(sum)
            | beam.Map(write_json, path)
        )
    counted: int = read_json(path)
    return rows + counted
