from __future__ import annotations

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from tables import ingest

from pipeline import ingest as ingest_module
from pipeline import table_files
from pipeline.reading import ReadTable
from pipeline.table_batches import to_raw_table
from trainer.tables import csv_reader
from trainer.tables.files import find_files, read_file
from trainer.tables.raw_table import concatenate, stacked

FILES = [
    b'user_id,item_id,timestamp,text\na,b,1,"x\ny"\nc\n"d","e",2.5,\xff\n',
    b"user_id,item_id,timestamp\n" + b"u,i,3\n\nbad,bad\n" * 20,
    b'text,user_id,item_id,timestamp,rating\n"",a,b,yesterday,4\nz,a,b,1,"',
]


def tables_of(artifact, table):
    """What ReadTable gives, as one table in order."""
    found = []
    with beam.Pipeline() as pipeline:
        batches = pipeline | ReadTable([artifact], table)
        _ = batches | beam.Map(
            lambda batch: _FOUND.append(to_raw_table(batch, table))
        )
    found, _FOUND[:] = list(_FOUND), []
    found.sort(key=lambda raw: min(
        [*raw.row_numbers.tolist(), *(row for row, _ in raw.malformed)]
    ))
    return stacked(found)


_FOUND: list = []


def texts_of(raw):
    return {name: col.to_pylist() for name, col in raw.columns.items()}


@pytest.fixture
def folder(tmp_path):
    for place, data in enumerate(FILES):
        (tmp_path / f"events-{place}.csv").write_bytes(data)
    return tmp_path


def local_table(folder):
    files = find_files("events", folder, None)
    return concatenate([read_file(path, "events") for path in files])


@pytest.mark.parametrize("block_rows", [4, 65_536])
def test_rows_are_those_of_the_local_path(folder, monkeypatch, block_rows):
    expected = local_table(folder)
    monkeypatch.setattr(ingest_module, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", 64)
    artifact = ingest(folder, "events-*.csv", "events", folder / "out")
    found = tables_of(artifact, "events")
    assert artifact.get_int_custom_property("rows") == expected.rows_read
    assert texts_of(found) == texts_of(expected)
    assert found.row_numbers.tolist() == expected.row_numbers.tolist()
    assert found.malformed == expected.malformed
    assert found.damaged["text"].tolist() == expected.damaged["text"].tolist()


def test_parts_and_row_groups_are_bounded(folder, monkeypatch):
    monkeypatch.setattr(ingest_module, "BLOCK_ROWS", 8)
    monkeypatch.setattr(ingest_module, "PART_ROWS", 20)
    ingest(folder, "events-*.csv", "events", folder / "out")
    parts = sorted((folder / "out" / "Split-all").iterdir())
    sizes = {part.name: pq.read_metadata(part) for part in parts}
    assert [data.num_rows for data in sizes.values()] == [3, 20, 20, 2]
    assert all(
        data.row_group(group).num_rows <= 8
        for data in sizes.values()
        for group in range(data.num_row_groups)
    )
    expected = local_table(folder)
    monkeypatch.setattr(table_files, "BLOCK_ROWS", 8)
    assert expected.rows_read == sum(d.num_rows for d in sizes.values())
