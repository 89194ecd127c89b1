"""Ingest and reading give the same whatever runs them.

What SequenceBuilder's graph gives is compared in sequences/test_graph.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from local_path import sample_data
from tables import ingest

from pipeline.ingest import CopyTable
from pipeline.reading import ReadTable
from schema import features

SEVERAL = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The events in files of 300 rows, each with a header."""
    data = sample_data(tmp_path_factory.mktemp("data"))
    header, *rows = (data / "events.csv").read_text().splitlines(True)
    folder = tmp_path_factory.mktemp("shards")
    for number, start in enumerate(range(0, len(rows), 300)):
        part = folder / f"events-{number:03d}.csv"
        part.write_text(header + "".join(rows[start : start + 300]))
    return folder


def copied(shards: Path, folder: Path, options: list[str]) -> dict[str, bytes]:
    paths = sorted(map(str, shards.glob("*.csv")))
    columns = list(features.COLUMNS[features.EVENTS])
    summary = folder / "summary.json"
    with beam.Pipeline(argv=options) as pipeline:
        _ = pipeline | CopyTable(
            paths, str(folder), str(summary), table="events", columns=columns
        )
    assert json.loads(summary.read_text())["rows"] > 300
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_ingest_writes_the_same_files(shards: Path, tmp_path: Path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    one.mkdir(), several.mkdir()
    expected = copied(shards, one, [])
    assert len(expected) > 3
    assert copied(shards, several, SEVERAL) == expected


def read(artifact: object, file: Path, options: list[str]) -> list[str]:
    with beam.Pipeline(argv=options) as pipeline:
        _ = (
            pipeline
            | ReadTable([artifact], "events")
            | "Rows" >> beam.FlatMap(pa.Table.to_pylist)
            | "Json" >> beam.Map(json.dumps, sort_keys=True)
            | "Write" >> beam.io.WriteToText(str(file))
        )
    lines = []
    for part in file.parent.glob(f"{file.name}-*"):
        lines += part.read_text().splitlines()
    return sorted(lines)


def test_reading_gives_the_same_rows(shards: Path, tmp_path: Path) -> None:
    artifact = ingest(shards, "events-*.csv", "events", tmp_path / "examples")
    expected = read(artifact, tmp_path / "one", [])
    numbers = sorted(json.loads(line)["_row"] for line in expected)
    assert numbers == list(range(1, len(expected) + 1))
    assert read(artifact, tmp_path / "several", SEVERAL) == expected
