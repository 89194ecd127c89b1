from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.anomalies import DataError
from trainer.config import DataConfig
from trainer.sample import __main__ as sample
from trainer.tables import Dataset, load_dataset
from trainer.tables.dataset import TableRows

NOW = 1_700_000_000
EVENTS = "user_id,item_id,timestamp\nu,a,10\nu,b,20\nv,b,30\nv,a,40\n"
ITEMS = "item_id,title\na,Apple\nb,Bread\n"


class Folder:
    """A data folder with two good tables, until something is changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rejects = path / "job" / "rejects"
        self.write("events.csv", EVENTS)
        self.write("items.csv", ITEMS)

    def write(self, name: str, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        (self.path / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self.path / name).unlink()

    def load(self, **options) -> Dataset:
        return load_dataset(
            str(self.path), DataConfig(**options), rejects_dir=self.rejects,
            now=NOW,
        )

    def rejected(self, table: str) -> list[dict[str, str]]:
        path = self.rejects / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def error_names(error: pytest.ExceptionInfo[DataError]) -> list[str]:
    return [anomaly.name for anomaly in error.value.anomalies]


def test_good_tables_load_without_anomalies(folder):
    dataset = folder.load()
    assert dataset.events.user_ids == ["u", "v"]
    assert dataset.events.item.tolist() == [0, 1, 1, 0]
    assert dataset.items.ids == ["a", "b"]
    assert dataset.users.ids == []
    assert dataset.scenarios == {}
    assert dataset.anomalies == []
    assert dataset.notes == []
    assert not folder.rejects.exists()


def test_optional_tables_are_read_where_they_are(folder):
    folder.write("users.csv", "user_id,profile\nu,likes rye\n")
    folder.write("scenarios.csv", "scenario,description\nhome,start page\n")
    dataset = folder.load()
    assert dataset.users.profiles == ["likes rye"]
    assert dataset.scenarios == {"home": "start page"}


@pytest.mark.parametrize("name", ["events.csv", "items.csv"])
def test_a_missing_table_stops_the_run(folder, name):
    folder.remove(name)
    with pytest.raises(DataError) as error:
        folder.load()
    assert error_names(error) == ["missing_table"]


def test_the_faults_of_all_tables_are_listed_at_once(folder):
    folder.write("events.csv", "user_id,itemid,timestamp\nu,a,1\n")
    folder.write("items.csv", "")
    folder.write("users.csv", "id,age\nu,7\n")
    with pytest.raises(DataError, match="is it 'itemid'") as error:
        folder.load()
    assert error_names(error) == [
        "missing_column", "empty_file", "missing_column",
    ]


@pytest.mark.parametrize("table", ["events", "items"])
def test_a_table_of_column_names_alone_stops_the_run(folder, table):
    header = {"events": EVENTS, "items": ITEMS}[table].splitlines()[0]
    folder.write(f"{table}.csv", header + "\n")
    with pytest.raises(DataError) as error:
        folder.load()
    assert error_names(error) == ["empty_table"]


def test_an_optional_table_may_have_no_rows(folder):
    folder.write("users.csv", "user_id,profile\n")
    assert folder.load().users.ids == []


def test_a_truncated_gzip_stops_the_run(folder):
    folder.remove("events.csv")
    folder.write("events.csv.gz", gzip.compress(EVENTS.encode())[:-9])
    with pytest.raises(DataError) as error:
        folder.load()
    assert error_names(error) == ["truncated_gzip"]


def test_few_bad_rows_are_set_aside_and_counted(folder):
    folder.write("events.csv", EVENTS + "u,x,50\nu,a,soon\n")
    dataset = folder.load(max_reject_share=0.5)
    assert len(dataset.events.user) == 4
    assert [(a.name, a.rows) for a in dataset.anomalies] == [
        ("unparsable_timestamp", 1), ("unknown_item", 1),
    ]
    assert [list(row.values()) for row in folder.rejected("events")] == [
        ["5", "unknown_item", "u", "x", "50", ""],
        ["6", "unparsable_timestamp", "u", "a", "soon", ""],
    ]


def test_too_many_bad_rows_stop_the_run_with_all_anomalies(folder):
    folder.write("events.csv", EVENTS + "u,x,50\nu,a,soon\nu,a\n")
    folder.write("items.csv", ITEMS + "a,Apple\n")
    with pytest.raises(
        DataError, match=r"3 of the 7 rows of events \(42\.86%\) are bad"
    ) as error:
        folder.load(max_reject_share=0.4)
    assert error_names(error) == [
        "malformed_row", "unparsable_timestamp", "unknown_item",
        "duplicate_item",
    ]
    assert str(folder.rejects) in str(error.value)


def test_the_rejects_are_written_before_the_run_stops(folder):
    folder.write("events.csv", EVENTS + "u,a\n")
    with pytest.raises(DataError):
        folder.load()
    (row,) = folder.rejected("events")
    assert (row["row"], row["anomaly"], row["raw"]) == (
        "5", "malformed_row", "u,a",
    )


@pytest.mark.parametrize(("bad", "stops"), [(1, False), (2, True)])
def test_one_percent_of_bad_rows_is_tolerated(folder, bad, stops):
    good = [f"u,a,{second}" for second in range(100 - bad)]
    rows = good + [f"u,x,{second}" for second in range(bad)]
    folder.write("events.csv", "\n".join(["user_id,item_id,timestamp", *rows]))
    if stops:
        with pytest.raises(DataError, match="max_reject_share is 1.00%"):
            folder.load()
    else:
        assert len(folder.load().events.user) == 99


def test_a_table_without_one_good_row_stops_the_run_at_any_share(folder):
    folder.write("items.csv", "item_id,title\n,Apple\n")
    with pytest.raises(DataError, match="1 of the 1 rows of items"):
        folder.load(max_reject_share=1.0)


def test_events_of_a_rejected_item_row_belong_to_the_one_that_stays(folder):
    folder.write("items.csv", ITEMS + "a,Another apple\n")
    dataset = folder.load(max_reject_share=0.5)
    assert dataset.items.columns["title"] == ["Apple", "Bread"]
    assert dataset.events.item.tolist() == [0, 1, 1, 0]
    assert [a.name for a in dataset.anomalies] == ["conflicting_item"]


def test_rejects_of_an_earlier_run_are_removed(folder):
    folder.write("events.csv", EVENTS + "u,x,50\n")
    folder.load(max_reject_share=0.5)
    folder.write("events.csv", EVENTS)
    folder.load()
    assert list(folder.rejects.iterdir()) == []


def test_shards_are_one_table(folder):
    lines = EVENTS.splitlines(keepends=True)
    folder.remove("events.csv")
    folder.write("events-0.csv", lines[0] + lines[1] + "u,x,50\n")
    folder.write("events-1.csv", "".join([lines[0], *lines[2:], "u,y,60\n"]))
    dataset = folder.load(max_reject_share=0.5)
    assert dataset.events.timestamp.tolist() == [10, 20, 30, 40]
    assert [row["row"] for row in folder.rejected("events")] == ["2", "6"]
    assert dataset.notes == []


def test_shards_of_different_columns_are_noted(folder):
    folder.remove("events.csv")
    folder.write("events-0.csv", EVENTS)
    folder.write("events-1.csv", "user_id,item_id,timestamp,rating\nu,a,50,4\n")
    dataset = folder.load()
    assert dataset.notes == [
        "events: not all of its files have the same columns."
    ]
    assert dataset.events.rating.tolist()[-1] == 4


def test_a_shard_without_a_required_column_is_named(folder):
    folder.remove("events.csv")
    folder.write("events-0.csv", EVENTS)
    folder.write("events-1.csv", "user_id,item_id\nu,a\n")
    with pytest.raises(DataError, match="events-1.csv has no such column"):
        folder.load()


def test_a_glob_names_the_files_of_a_table(folder):
    folder.write("log-1.csv", EVENTS)
    folder.write("log-2.csv", "user_id,item_id,timestamp\nw,a,50\n")
    dataset = folder.load(events="log-*.csv")
    assert dataset.events.user_ids == ["u", "v", "w"]


def test_unknown_and_unread_columns_are_named_once(folder):
    folder.write(
        "events.csv",
        "user_id,item_id,timestamp,text,ip\nu,a,10,hi,::1\nu,b,20,hi,::1\n",
    )
    assert folder.load().notes == [
        "events: ignored columns that the data contract does not know: 'ip'.",
        "events: columns that the model does not read: text.",
    ]


def test_parquet_with_typed_columns_means_the_same_as_csv(folder):
    folder.write("events.csv", "user_id,item_id,timestamp\n7,1,10\n7,2,20\n")
    folder.write("items.csv", "item_id,title\n1,A\n2,B\n")
    from_csv = folder.load()
    folder.remove("events.csv")
    folder.remove("items.csv")
    seconds = pa.array([10, 20]).cast(pa.timestamp("s")).cast("timestamp[ns]")
    pq.write_table(
        pa.table(
            {"user_id": [7.0, 7.0], "item_id": [1, 2], "timestamp": seconds}
        ),
        folder.path / "events.parquet",
    )
    pq.write_table(
        pa.table({"item_id": [1, 2], "title": ["A", "B"]}),
        folder.path / "items.parquet",
    )
    from_parquet = folder.load()
    assert from_parquet.items == from_csv.items
    assert from_parquet.events.user_ids == ["7"]
    assert from_parquet.events.item.tolist() == [0, 1]
    assert from_parquet.events.timestamp.tolist() == [10, 20]


FIELDS = st.sampled_from(
    ["u", "v", "", "a", "b", "x", "5", "-5", "soon", str(NOW + 9), "🎁"]
)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=4), min_size=1)


@settings(deadline=None, max_examples=60)
@given(LINES)
def test_rows_read_are_rows_kept_plus_rows_rejected(tmp_path_factory, lines):
    folder = Folder(tmp_path_factory.mktemp("data"))
    # One good row, so that there is always one to keep; no blank lines.
    rows = [["u", "a", "5"], *(line for line in lines if line != [""])]
    text = "\n".join(",".join(row) for row in rows)
    folder.write("events.csv", f"user_id,item_id,timestamp\n{text}\n")
    kept = len(folder.load(max_reject_share=1.0).events.user)
    path = folder.rejects / "events.csv"
    rejected = folder.rejected("events") if path.exists() else []
    assert kept + len(rejected) == len(rows)
    numbers = [int(row["row"]) for row in rejected]
    assert len(set(numbers)) == len(numbers)
    for row in rejected:
        raw = row["raw"] or ",".join(
            row[name] for name in ("user_id", "item_id", "timestamp")
        )
        assert raw == ",".join(rows[int(row["row"]) - 1])


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_planted_bad_rows_are_found_and_no_others(tmp_path, kind):
    out = tmp_path / "data"
    size = ["--users", "120", "--items", "90", "--bad-rows", "0.1"]
    sample.main([str(out), *size, "--format", kind])
    truth = json.loads((out / "truth.json").read_text(encoding="utf-8"))
    planted = {
        (bad["table"], bad["name"], bad["rows"], *bad["first_rows"])
        for bad in truth["anomalies"]
    }
    assert len(planted) == 11  # kinds
    dataset = load_dataset(
        str(out), DataConfig(max_reject_share=0.2),
        rejects_dir=tmp_path / "rejects", now=1_800_000_000,
    )
    assert planted == {
        (found.table, found.name, found.rows, *found.first_rows)
        for found in dataset.anomalies
        if found.severity == "reject"
    }


def test_reading_tables_does_not_import_tensorflow(folder):
    code = (
        "import sys, pathlib\n"
        "from trainer.config import DataConfig\n"
        "from trainer.tables import load_dataset\n"
        f"load_dataset({str(folder.path)!r}, DataConfig(), "
        f"rejects_dir=pathlib.Path({str(folder.rejects)!r}), now={NOW})\n"
        "sys.exit('tensorflow' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_table_without_rows_has_no_bad_share() -> None:
    assert TableRows("users", 0, 0).rejected_share == 0
    assert TableRows("users", 4, 1).rejected_share == 0.25
