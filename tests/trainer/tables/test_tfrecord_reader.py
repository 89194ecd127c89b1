from __future__ import annotations

from pathlib import Path

import pytest

from trainer.anomalies import DataError
from trainer.tables.tfrecord_reader import read_tfrecord


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


@pytest.fixture
def write(tf, tmp_path):
    kinds = {
        bytes: (tf.train.BytesList, "bytes_list"),
        int: (tf.train.Int64List, "int64_list"),
        float: (tf.train.FloatList, "float_list"),
    }

    def encode(row) -> bytes:
        features = {}
        for name, values in row.items():
            values = values if isinstance(values, list) else [values]
            list_type, kind = kinds[type(values[0])]
            value = list_type(value=values)
            features[name] = tf.train.Feature(**{kind: value})
        return tf.train.Example(
            features=tf.train.Features(feature=features)
        ).SerializeToString()

    def write_rows(rows, compression="") -> Path:
        path = tmp_path / "events.tfrecord"
        with tf.io.TFRecordWriter(str(path), compression) as writer:
            for row in rows:
                data = row if isinstance(row, bytes) else encode(row)
                writer.write(data)
        return path

    return write_rows


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_examples_are_read_back_as_text(write, compression):
    path = write(
        [
            {"user_id": "é".encode(), "timestamp": 12, "rating": 4.5},
            {"user_id": b"b", "timestamp": 13, "rating": 0.1},
        ],
        compression,
    )
    table = read_tfrecord(path, "events")
    columns = {name: col.to_pylist() for name, col in table.columns.items()}
    assert columns == {
        "user_id": ["é", "b"],
        "timestamp": ["12", "13"],
        "rating": ["4.5", "0.1"],
    }
    assert table.row_numbers.tolist() == [1, 2]


def test_a_feature_that_an_example_lacks_is_empty(write):
    rows = [{"user_id": b"a"}, {"item_id": b"x"}, {"user_id": b"c"}]
    columns = read_tfrecord(write(rows), "events").columns
    assert columns["user_id"].to_pylist() == ["a", "", "c"]
    assert columns["item_id"].to_pylist() == ["", "x", ""]


def test_a_record_that_is_no_example_is_malformed(write):
    path = write([{"user_id": b"a"}, b"\xff\xff", {"user_id": b"c"}])
    table = read_tfrecord(path, "events")
    assert table.malformed == [(2, r"b'\xff\xff'")]
    assert table.row_numbers.tolist() == [1, 3]


def test_several_values_in_one_example_are_a_wrong_type(write):
    path = write([{"item_id": [b"a", b"b"]}])
    with pytest.raises(DataError, match=r"events\.item_id: wrong_type"):
        read_tfrecord(path, "events")


def test_two_types_of_one_feature_are_a_wrong_type(write):
    path = write([{"timestamp": 1}, {"timestamp": b"2"}])
    with pytest.raises(DataError, match="both int64_list and bytes_list"):
        read_tfrecord(path, "events")


def test_an_unknown_feature_may_hold_several_values(write):
    path = write([{"item_id": b"a", "tags": [b"x", b"y"]}])
    assert read_tfrecord(path, "events").columns["item_id"].to_pylist() == ["a"]


def test_a_truncated_file_is_named(write):
    path = write([{"user_id": b"a" * 100}] * 9)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="unreadable_file.*export it again"):
        read_tfrecord(path, "events")


def test_a_truncated_gzip_is_named(write):
    path = write([{"user_id": b"a" * 100}] * 9, "GZIP")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="truncated_gzip"):
        read_tfrecord(path, "events")


def test_a_file_of_no_bytes_is_empty(tmp_path, tf):
    path = tmp_path / "events.tfrecord"
    path.touch()
    with pytest.raises(DataError, match="empty_file"):
        read_tfrecord(path, "events")
