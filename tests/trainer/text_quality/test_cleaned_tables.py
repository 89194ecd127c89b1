from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from trainer.tables.csv_reader import read_csv
from trainer.tables.items import check_items
from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review
from trainer.text_quality.cleaned_tables import (
    read_boilerplate,
    refuse_used_folder,
    write_tables,
)
from trainer.text_quality.cleaning import clean_columns


def reviewed(**columns: list[str]) -> Review:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    count = len(next(iter(columns.values())))
    return Review(RawTable("items", arrays, np.arange(1, count + 1)))


def write(output: Path, review: Review, others=None) -> None:
    items = check_items(review)
    write_tables(
        output, review, clean_columns(items.columns, 0.05), others or {}
    )


def test_every_column_comes_back_and_text_comes_back_clean(tmp_path):
    odd = ['a,"b"', " 007", "line\nend\r\n", "-1e5"]
    write(tmp_path / "out", reviewed(
        item_id=odd, title=["<b>Tea</b>", "", 'Say "hi", you', " Pot "],
        price=["1.50", "", "x\ny", "2"], shelf=["A", "B", "", "'"],
    ))
    table = read_csv(tmp_path / "out" / "items.csv", "items")
    assert {name: v.to_pylist() for name, v in table.columns.items()} == {
        "item_id": odd,
        "title": ["Tea", "", 'Say "hi", you', "Pot"],
        "price": ["1.50", "", "x\ny", "2"],
        "shelf": ["A", "B", "", "'"],
    }
    assert not table.malformed


def test_bad_rows_are_set_aside(tmp_path):
    write(tmp_path / "out", reviewed(
        item_id=["a", "", "b", "a"], title=["A", "B", "C", "A"]
    ))
    table = read_csv(tmp_path / "out" / "items.csv", "items")
    assert table.column("item_id").to_pylist() == ["a", "b"]
    rejects = (tmp_path / "out" / "rejects" / "items.csv").read_text()
    assert rejects.splitlines()[1:] == [
        "2,missing_id,,B,", "4,duplicate_item,a,A,"
    ]


def test_other_tables_are_copied_byte_by_byte(tmp_path):
    single = tmp_path / "logs.2024.csv.gz"
    single.write_bytes(b"\x1f\x8b not opened")
    shards = [tmp_path / f"part{n}.parquet" for n in range(2)]
    for number, shard in enumerate(shards):
        shard.write_bytes(bytes([number]))
    write(
        tmp_path / "out", reviewed(item_id=["a"], title=["A"]),
        {"events": [single], "users": shards, "scenarios": []},
    )
    found = {
        path.name: path.read_bytes()
        for path in (tmp_path / "out").iterdir()
        if path.name not in ("items.csv", "boilerplate.txt")
    }
    assert found == {
        "events.csv.gz": b"\x1f\x8b not opened",
        "users-00000.parquet": b"\0",
        "users-00001.parquet": b"\1",
    }


def test_boilerplate_comes_back(tmp_path):
    described = [f"{n}. Free shipping! 包邮。" for n in range(6)]
    write(tmp_path / "out", reviewed(
        item_id=list("abcdef"), title=list("ABCDEF"), description=described
    ))
    found = read_boilerplate(tmp_path / "out" / "boilerplate.txt")
    assert found == ["Free shipping!", "包邮。"]


def test_a_file_that_is_no_text_is_no_boilerplate(tmp_path):
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="no UTF-8 text"):
        read_boilerplate(tmp_path / "x.txt")


def test_a_failure_leaves_nothing(tmp_path):
    missing = tmp_path / "gone.csv"
    with pytest.raises(FileNotFoundError):
        write(
            tmp_path / "out", reviewed(item_id=["a"], title=["A"]),
            {"events": [missing]},
        )
    assert list(tmp_path.iterdir()) == []


def test_only_a_new_or_empty_folder_will_do(tmp_path):
    refuse_used_folder(tmp_path / "new")
    refuse_used_folder(tmp_path)
    (tmp_path / "file").touch()
    for used in (tmp_path, tmp_path / "file"):
        with pytest.raises(FileExistsError, match="another --output"):
            refuse_used_folder(used)
