from __future__ import annotations

from pathlib import Path

import pytest

from trainer.anomalies import DataError
from trainer.tables.files import find_files, read_file


@pytest.fixture
def folder(tmp_path):
    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("item_id\n1\n", encoding="utf-8")
        return tmp_path

    return make


def names(table: str, data_dir: Path, setting: str | None = None) -> list[str]:
    found = find_files(table, data_dir, setting)
    return [str(path.relative_to(data_dir)) for path in found]


@pytest.mark.parametrize(
    "name",
    [
        "events.csv", "events.csv.gz", "events.parquet", "events.tfrecord",
        "events.tfrecord.gz",
    ],
)
def test_a_table_is_found_by_its_name(folder, name):
    data_dir = folder(name, "items.csv", "events.md5")
    assert names("events", data_dir) == [name]


def test_a_copy_under_another_name_is_not_the_table(folder):
    data_dir = folder("events.csv", "events.old.csv", "events-2.csv")
    assert names("events", data_dir) == ["events.csv"]


def test_shards_are_found_in_order(folder):
    shards = ["events-00000-of-00002.csv.gz", "events-00001-of-00002.csv.gz"]
    assert names("events", folder(*reversed(shards))) == shards


def test_a_folder_of_parts_is_found(folder):
    data_dir = folder("events/part-1.parquet", "events/part-0.parquet")
    assert names("events", data_dir) == [
        "events/part-0.parquet", "events/part-1.parquet",
    ]


def test_a_setting_names_a_glob_in_the_data_folder(folder):
    data_dir = folder("log-b.csv", "log-a.csv", "events.csv")
    found = names("events", data_dir, "log-*.csv")
    assert found == ["log-a.csv", "log-b.csv"]


def test_a_setting_names_a_file_anywhere(folder):
    path = folder("log.csv") / "log.csv"
    assert find_files("events", Path("elsewhere"), str(path)) == [path]


def test_a_setting_that_fits_no_file_is_an_error(folder):
    with pytest.raises(DataError, match="missing_table.*'log.csv'.*--users"):
        find_files("users", folder(), "log.csv")


@pytest.mark.parametrize("table", ["events", "items"])
def test_a_required_table_that_is_absent_is_an_error(folder, table):
    with pytest.raises(DataError, match=f"missing_table.*--{table}"):
        find_files(table, folder("readme.txt"), None)


@pytest.mark.parametrize("table", ["users", "scenarios"])
def test_an_optional_table_may_be_absent(folder, table):
    assert find_files(table, folder(), None) == []


def test_a_file_of_nearly_the_right_name_is_suggested(folder):
    with pytest.raises(DataError, match=r"Is it event\.csv\?"):
        find_files("events", folder("event.csv", "items.csv"), None)


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="no folder .*nowhere.*--data-dir"):
        find_files("events", tmp_path / "nowhere", None)


def test_one_table_in_two_formats_is_ambiguous(folder):
    data_dir = folder("events.csv", "events.parquet")
    with pytest.raises(DataError, match="ambiguous_table.*events.parquet"):
        find_files("events", data_dir, None)


def test_a_setting_of_an_unknown_format_is_an_error(folder):
    with pytest.raises(DataError, match="unknown_format.*must end in .csv"):
        find_files("events", folder("events.xlsx"), "events.xlsx")


def test_a_file_is_read_by_the_format_of_its_name(folder):
    table = read_file(folder("items.csv") / "items.csv", "items")
    assert table.columns["item_id"].to_pylist() == ["1"]


def test_a_file_without_a_known_format_is_refused(folder):
    with pytest.raises(ValueError, match="does not end in .csv"):
        read_file(folder("items.txt") / "items.txt", "items")
