from __future__ import annotations

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from pipeline import table_files
from pipeline.table_files import default_pattern, read_blocks, read_columns
from trainer.anomalies import DataError
from trainer.tables.raw_table import stacked

COLUMNS = {"item_id": [7, 8, 9], "title": ["a", None, "c"]}


def write_avro(path, schema_type="long"):
    fields = [
        {"name": "item_id", "type": schema_type},
        {"name": "title", "type": ["null", "string"]},
        {"name": "tags", "type": {"type": "map", "values": "long"}},
    ]
    schema = {"type": "record", "name": "item", "fields": fields}
    rows = [
        {"item_id": item, "title": title, "tags": {"x": 1}}
        for item, title in zip(*COLUMNS.values(), strict=True)
    ]
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows)


def write(path):
    if path.suffix == ".avro":
        write_avro(path)
    elif path.suffix == ".parquet":
        pq.write_table(pa.table(COLUMNS), path)
    else:
        path.write_text("item_id,title\n7,a\n8,\n9,c\n")
    return str(path)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.avro"])
def test_formats_mean_the_same(tmp_path, monkeypatch, name):
    monkeypatch.setattr(table_files, "BLOCK_ROWS", 2)
    path = write(tmp_path / name)
    table = stacked(list(read_blocks(path, "items")))
    assert table.column("item_id").to_pylist() == ["7", "8", "9"]
    assert table.column("title").to_pylist() == ["a", "", "c"]
    assert table.row_numbers.tolist() == [1, 2, 3]
    assert read_columns(path, "items")[:2] == ["item_id", "title"]


@pytest.mark.parametrize("name", ["a.parquet", "a.avro", "a.tfrecord"])
def test_a_broken_file_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="unreadable_file"):
        read_columns(str(tmp_path / name), "items")


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(DataError, match=r"unknown_format.*\.avro"):
        read_columns("items.xlsx", "items")


def test_files_are_found_as_the_local_path_does(tmp_path):
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "1.csv").touch()
    assert default_pattern("events", str(tmp_path)) == "events/*.csv"
    (tmp_path / "events-1.csv.gz").touch()
    assert default_pattern("events", str(tmp_path)) == "events-*.csv.gz"
    (tmp_path / "events.parquet").touch()
    assert default_pattern("events", str(tmp_path)) == "events.parquet"
    assert default_pattern("users", str(tmp_path)) is None


def test_a_table_in_two_formats_is_ambiguous(tmp_path):
    (tmp_path / "events.csv").touch()
    (tmp_path / "events.avro").touch()
    with pytest.raises(DataError, match="ambiguous_table"):
        default_pattern("events", str(tmp_path))


def test_a_required_table_that_is_absent_is_named(tmp_path):
    (tmp_path / "event.csv").touch()
    with pytest.raises(DataError, match=r"missing_table.*only event\.csv"):
        default_pattern("events", str(tmp_path))


def test_a_truncated_file_of_examples_is_named(tmp_path):
    path = tmp_path / "items.tfrecord.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(50):
            writer.write(b"")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="truncated_gzip"):
        list(read_blocks(str(path), "items"))


def test_an_empty_file_of_examples_is_named(tmp_path):
    path = tmp_path / "items.tfrecord"
    path.touch()
    with pytest.raises(DataError, match="empty_file"):
        list(read_blocks(str(path), "items"))
