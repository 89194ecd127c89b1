from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review

LIMIT = 10_000  # characters, as the data contract says


def make_review(columns, **options) -> Review:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    count = len(next(iter(arrays.values())))
    options.setdefault("row_numbers", np.arange(1, count + 1))
    return Review(RawTable("items", arrays, **options))


def bools(*values: int) -> np.ndarray:
    return np.array(values, bool)


def test_a_row_counts_under_the_first_fault_alone():
    review = make_review({"a": ["p", "q", "r"]})
    review.reject("first", "a", bools(1, 0, 1), "mend.")
    review.reject("second", "a", bools(1, 1, 0), "mend.")
    assert [(a.name, a.rows, a.first_rows) for a in review.anomalies] == [
        ("first", 2, (1, 3)), ("second", 1, (2,)),
    ]
    assert not review.is_kept.any()


def test_no_anomaly_is_made_of_no_rows():
    review = make_review({"a": ["p"]})
    review.reject("x", "a", bools(0), "mend.")
    review.note("y", "a", bools(0), "mend.")
    assert review.anomalies == []


def test_at_most_five_rows_are_named_by_their_numbers():
    review = make_review(
        {"a": list("pqrstuv")}, row_numbers=np.arange(10, 80, 10)
    )
    review.reject("x", "a", bools(1, 1, 0, 1, 1, 1, 1), "mend.")
    (anomaly,) = review.anomalies
    assert anomaly.rows == 6
    assert anomaly.first_rows == (10, 20, 40, 50, 60)


def test_the_remedy_quotes_the_first_bad_value():
    review = make_review({"a": ["ok", "no\x00" + "x" * 100]})
    review.reject("x", "a", bools(0, 1), "mend it.")
    shown = "no\\x00" + "x" * 37
    assert review.anomalies[0].remedy == f"got '{shown}'...; mend it."


def test_a_note_keeps_rows_and_skips_rejected_ones():
    review = make_review({"a": ["p", "q"]})
    review.reject("x", "a", bools(1, 0), "mend.")
    review.note("y", "a", bools(1, 1), "look.")
    assert (review.anomalies[1].severity, review.anomalies[1].rows) == (
        "note", 1,
    )
    assert review.kept(review.table.column("a")).to_pylist() == ["q"]


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
def test_a_blank_id_is_missing(blank):
    review = make_review({"item_id": ["1", blank]})
    review.require_id("item_id")
    assert review.anomalies[0].name == "missing_id"
    assert review.is_kept.tolist() == [True, False]


def test_malformed_rows_count_as_rejected():
    review = make_review(
        {"a": ["p", "q", "r"]},
        row_numbers=np.array([1, 2, 4]),
        malformed=[(3, "x,y")],
    )
    (anomaly,) = review.anomalies
    assert (anomaly.name, anomaly.first_rows) == ("malformed_row", (3,))
    assert review.rows_rejected == 1


@pytest.mark.parametrize(("extra", "is_cut"), [(0, False), (1, True)])
def test_text_is_cut_where_it_is_too_long(extra, is_cut):
    long = "é" * (LIMIT + extra)
    review = make_review({"title": ["a", long]})
    assert review.text("title").to_pylist() == ["a", "é" * LIMIT]
    names = [anomaly.name for anomaly in review.anomalies]
    assert names == (["long_text"] if is_cut else [])


def test_damaged_text_is_kept_and_noted():
    review = make_review(
        {"title": ["a", "\ufffd"]}, damaged={"title": bools(0, 1)}
    )
    assert review.text("title").to_pylist() == ["a", "\ufffd"]
    (anomaly,) = review.anomalies
    assert (anomaly.name, anomaly.severity, anomaly.first_rows) == (
        "invalid_utf8", "note", (2,),
    )


def test_rejects_are_written_in_order_with_row_and_reason(tmp_path):
    review = make_review(
        {"item_id": ["1", "2", "3"], "title": ['a "b", c', "d", "e\nf"]},
        row_numbers=np.array([1, 3, 4]),
        malformed=[(2, "x,y,z")],
    )
    review.reject("bad", "title", bools(1, 0, 1), "mend.")
    path = review.write_rejects(tmp_path / "new")
    assert path == tmp_path / "new" / "items.csv"
    assert path.read_text(encoding="utf-8") == (
        "row,anomaly,item_id,title,raw\n"
        '1,bad,1,"a ""b"", c",\n'
        '2,malformed_row,,,"x,y,z"\n'
        '4,bad,3,"e\nf",\n'
    )


def test_rejects_may_hold_zero_bytes(tmp_path):
    review = make_review({"item_id": ["\x00"]})
    review.reject("bad", "item_id", bools(1), "mend.")
    path = review.write_rejects(tmp_path)
    assert path.read_bytes().endswith(b"1,bad,\x00,\n")


def test_no_rejects_leave_no_file_not_even_an_old_one(tmp_path):
    (tmp_path / "items.csv").write_text("old", encoding="utf-8")
    review = make_review({"item_id": ["1"]})
    assert review.write_rejects(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
