from __future__ import annotations

import pytest
import tensorflow as tf

from pipeline.example_tables import (
    count_records,
    example_tables,
    examples_table,
)
from pipeline.table_batches import to_arrow, to_raw_table
from trainer.anomalies import DataError


def example(**values):
    features = {}
    for name, value in values.items():
        values_of = value if isinstance(value, list) else [value]
        feature = tf.train.Feature()
        if isinstance(values_of[0], bytes):
            feature.bytes_list.value.extend(values_of)
        else:
            feature.int64_list.value.extend(values_of)
        features[name] = feature
    return tf.train.Example(
        features=tf.train.Features(feature=features)
    ).SerializeToString()


def write(path, records, compression=""):
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)
    return str(path)


def test_examples_become_the_columns_of_the_contract():
    records = [example(user_id=b"a", timestamp=7), example(item_id=b"\xff")]
    raw = examples_table(records, "events", "file")
    columns = {name: col.to_pylist() for name, col in raw.columns.items()}
    assert columns == {
        "user_id": ["a", ""], "timestamp": ["7", ""],
        "item_id": ["", "\ufffd"],
    }
    assert raw.damaged["item_id"].tolist() == [False, True]
    batch = to_arrow(raw)
    assert batch["timestamp"].to_pylist() == [7, None]
    assert to_raw_table(batch, "events").column("timestamp").to_pylist() == [
        "7", "",
    ]


def test_a_record_that_is_no_example_is_a_malformed_row():
    records = [example(user_id=b"a"), b"\xff\xff", example(user_id=b"b")]
    raw = examples_table(records, "events", "file")
    assert raw.row_numbers.tolist() == [1, 3]
    assert raw.malformed == [(2, repr(b"\xff\xff"))]


def test_several_values_of_a_column_of_the_contract_are_refused():
    records = [example(user_id=[b"a", b"b"])]
    with pytest.raises(DataError, match="events.user_id: wrong_type"):
        examples_table(records, "events", "file")


def test_several_values_of_an_unknown_column_are_left_out():
    records = [example(user_id=b"a", mood=[b"a", b"b"])]
    assert list(examples_table(records, "events", "file").columns) == [
        "user_id"
    ]


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_rows_are_numbered_over_blocks(tmp_path, monkeypatch, compression):
    monkeypatch.setattr("pipeline.example_tables._BATCH", 2)
    records = [example(user_id=b"a") for _ in range(5)]
    path = write(tmp_path / "events.tfrecord", records, compression)
    blocks = list(example_tables(path, "events"))
    assert [block.row_numbers.tolist() for block in blocks] == [
        [1, 2], [3, 4], [5],
    ]
    assert count_records(path) == (path, 5)


def test_a_truncated_file_is_named(tmp_path):
    path = write(tmp_path / "events.tfrecord", [example(user_id=b"a")] * 9)
    whole = (tmp_path / "events.tfrecord").read_bytes()
    (tmp_path / "events.tfrecord").write_bytes(whole[:-3])
    with pytest.raises(DataError, match="unreadable_file"):
        list(example_tables(path, "events"))
