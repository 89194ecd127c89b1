"""The events table as text: read, changed, written."""

from __future__ import annotations

from pathlib import Path

import logs
import numpy as np
import pytest

from benchmarks.quality.event_table import EventTable

LINES = [("b", "007", 5), ("a", "x", 5), ("a", "y", 3), ("b", "z", 5)]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    logs.table(LINES, rating=["1.5", "", "2", ""]).write(tmp_path)
    found = EventTable.read(tmp_path)
    assert logs.lines(found) == LINES  # "007" did not become a number
    assert found.columns["rating"].tolist() == ["1.5", "", "2", ""]


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        logs.table(LINES).write(tmp_path / name)
        files.append((tmp_path / name / "events.csv.gz").read_bytes())
    assert files[0] == files[1]


def test_order_is_by_user_time_position_and_place() -> None:
    events = logs.table(LINES, position=["0", "0", "9", "0"])
    assert events.order().tolist() == [2, 1, 0, 3]
    events = logs.table(LINES, position=["1", "0", "9", "0"])
    assert events.order().tolist() == [2, 1, 3, 0]


def test_rows_and_columns_are_put_in_without_touching_the_table() -> None:
    events = logs.table(LINES)
    changed = events.with_columns(position=np.array([4, 3, 2, 1]))
    assert changed.columns["position"].tolist() == ["4", "3", "2", "1"]
    assert "position" not in events.columns
    chosen = changed.rows(np.array([True, False, False, True]))
    assert logs.lines(chosen) == [LINES[0], LINES[3]]


def test_a_value_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="position.*'first'"):
        logs.table(LINES, position=["first", "", "", ""]).order()


def test_rows_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    text = "user_id,item_id,timestamp\na,x,1\na,y,2,extra,more\n"
    (tmp_path / "events.csv").write_text(text)
    with pytest.raises(ValueError, match="1 rows of events do not fit"):
        EventTable.read(tmp_path)
