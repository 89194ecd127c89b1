from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainer.anomalies import DataError
from trainer.tables.arrow_reader import raw_table, read_parquet

UTC = datetime.timezone.utc
# 2014-07-23 00:00:00 UTC
MIDNIGHT = 1_406_073_600


def texts(values: pa.Array, name: str = "timestamp") -> list[str]:
    rows = pa.table({name: values})
    return raw_table(rows, Path("f"), "events").columns[name].to_pylist()


def test_integers_become_their_digits():
    assert texts(pa.array([7, None, -1]), "user_id") == ["7", "", "-1"]


def test_integer_ids_keep_all_digits():
    big = 2**63 - 1
    assert texts(pa.array([big]), "user_id") == [str(big)]


def test_whole_floats_are_the_integers_they_came_from():
    values = pa.array([7.0, None, float("nan")])
    assert texts(values, "user_id") == ["7", "", ""]


def test_other_floats_keep_their_fraction():
    assert texts(pa.array([4.5, 3.0]), "rating") == ["4.5", "3"]


def test_floats_of_32_bits_are_written_as_short_as_they_are():
    assert texts(pa.array([0.1, 2.5], pa.float32()), "rating") == [
        "0.1", "2.5",
    ]


def test_decimals_are_numbers():
    values = pa.array([decimal.Decimal("4.50")])
    assert texts(values, "rating") == ["4.5"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_become_unix_seconds(unit):
    moment = datetime.datetime(2014, 7, 23)
    values = pa.array([moment, None], pa.timestamp(unit))
    assert texts(values) == [str(MIDNIGHT), ""]


def test_a_timestamp_with_a_zone_is_the_same_moment():
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2014, 7, 23, 2, tzinfo=zone)
    values = pa.array([moment], pa.timestamp("ms", "Europe/Berlin"))
    assert texts(values) == [str(MIDNIGHT)]


def test_dates_become_the_unix_seconds_of_midnight():
    values = pa.array([datetime.date(2014, 7, 23)])
    assert texts(values) == [str(MIDNIGHT)]


def test_dictionaries_are_their_values():
    values = pa.array(["a", "b", "a"]).dictionary_encode()
    assert texts(values, "user_id") == ["a", "b", "a"]


def test_large_strings_are_strings():
    assert texts(pa.array(["a"], pa.large_string()), "user_id") == ["a"]


def test_a_column_of_nulls_is_empty():
    assert texts(pa.nulls(2), "rating") == ["", ""]


def test_bytes_are_decoded_and_damage_is_located():
    rows = pa.table({"text": pa.array([b"a", b"\xffb", None], pa.binary())})
    table = raw_table(rows, Path("f"), "events")
    assert table.columns["text"].to_pylist() == ["a", "\ufffdb", ""]
    assert table.damaged["text"].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("item_id", pa.array([["a"], ["b"]])),
        ("item_id", pa.array([1.5, 2.0])),
        ("item_id", pa.array([datetime.date(2014, 7, 23)])),
        ("timestamp", pa.array([{"seconds": 1}])),
    ],
)
def test_a_type_that_the_column_cannot_have_is_named(name, values):
    with pytest.raises(DataError, match=rf"events\.{name}: wrong_type"):
        texts(values, name)


def test_all_wrong_types_are_listed():
    nested = pa.array([[1]])
    rows = pa.table({"user_id": nested, "item_id": nested})
    with pytest.raises(DataError) as error:
        raw_table(rows, Path("f"), "events")
    assert [anomaly.column for anomaly in error.value.anomalies] == [
        "user_id", "item_id",
    ]


def test_an_unknown_column_may_have_any_type():
    assert texts(pa.array([[1, 2]]), "basket") == [""]


def test_parquet_is_read(tmp_path):
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"user_id": [3, 4], "item_id": ["x", "y"]}), path)
    table = read_parquet(path, "events")
    assert table.columns["user_id"].to_pylist() == ["3", "4"]
    assert table.row_numbers.tolist() == [1, 2]


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated_parquet_is_named(tmp_path, share):
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table({"user_id": [3, 4]}), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match="unreadable_file"):
        read_parquet(path, "events")


def test_parquet_of_no_bytes_is_empty(tmp_path):
    path = tmp_path / "events.parquet"
    path.touch()
    with pytest.raises(DataError, match="empty_file"):
        read_parquet(path, "events")
