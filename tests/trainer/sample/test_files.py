from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from trainer.sample.files import write_tables
from trainer.sample.tables import Table

TABLES: dict[str, Table] = {
    "events": {"user_id": ["007", "é"], "timestamp": [5, 6]},
    "items": {"title": ['a "b", c', "两\n行"], "rating": [None, 4]},
}


def test_csv_quotes_what_needs_it(tmp_path: Path) -> None:
    write_tables(TABLES, {}, tmp_path, "csv")
    with (tmp_path / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["title", "rating"], ['a "b", c', ""], ["两\n行", "4"]]


def test_gzipped_csv_holds_the_same_bytes(tmp_path: Path) -> None:
    write_tables(TABLES, {}, tmp_path / "plain", "csv")
    write_tables(TABLES, {}, tmp_path / "packed", "csv.gz")
    packed = (tmp_path / "packed" / "events.csv.gz").read_bytes()
    plain = (tmp_path / "plain" / "events.csv").read_bytes()
    assert gzip.decompress(packed) == plain
    assert packed[4:8] == bytes(4)  # no time in the header


def test_parquet_keeps_types_and_missing_values(tmp_path: Path) -> None:
    write_tables(TABLES, {}, tmp_path, "parquet")
    events = pq.read_table(tmp_path / "events.parquet").to_pydict()
    items = pq.read_table(tmp_path / "items.parquet").to_pydict()
    assert events == TABLES["events"]
    assert items == TABLES["items"]


def test_a_bad_value_makes_a_parquet_column_text(tmp_path: Path) -> None:
    tables: dict[str, Table] = {"events": {"timestamp": [5, "yesterday", None]}}
    write_tables(tables, {}, tmp_path, "parquet")
    written = pq.read_table(tmp_path / "events.parquet").to_pydict()
    assert written == {"timestamp": ["5", "yesterday", None]}


def test_truth_is_readable_json(tmp_path: Path) -> None:
    truth = {"topics": [{"name": "露营", "next": 3}]}
    paths = write_tables(TABLES, truth, tmp_path / "new" / "folder", "csv")
    assert [path.name for path in paths] == [
        "events.csv", "items.csv", "truth.json"
    ]
    text = paths[-1].read_text(encoding="utf-8")
    assert json.loads(text) == truth
    assert "露营" in text


def test_a_second_format_in_one_folder_is_refused(tmp_path: Path) -> None:
    write_tables(TABLES, {}, tmp_path, "csv")
    with pytest.raises(FileExistsError, match=r"events\.csv.*ambiguous"):
        write_tables(TABLES, {}, tmp_path, "parquet")


def test_the_same_format_is_written_again(tmp_path: Path) -> None:
    write_tables(TABLES, {}, tmp_path, "csv")
    write_tables({"events": {"user_id": ["x"]}}, {}, tmp_path, "csv")
    assert (tmp_path / "events.csv").read_text() == "user_id\nx\n"
