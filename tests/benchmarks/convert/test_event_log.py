from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.faults import FileReport


def test_events_become_columns_of_numbers():
    log = EventLog(("rating", "split"))
    log.add("v", "i2", 5_000_000_000, 4.5, 1)
    log.add("u", "i1", 7, 3, 0)
    log.append(log.user_code("v"), log.item_code("i1"), 9, 0.5, 2)
    assert list(log.users) == ["v", "u"]
    assert list(log.items) == ["i2", "i1"]
    columns = {k: v.tolist() for k, v in log.columns().items()}
    assert columns == {
        "user_id": [0, 1, 0],
        "item_id": [0, 1, 1],
        "timestamp": [5_000_000_000, 7, 9],
        "rating": [4.5, 3.0, 0.5],
        "split": [1, 0, 2],
    }
    assert list(columns) == [
        "user_id", "item_id", "timestamp", "rating", "split",
    ]


def test_a_row_of_another_length_is_refused():
    log = EventLog(("rating",))
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        log.add("u", "i", 1)


def test_an_empty_log_has_empty_columns():
    columns = EventLog(("position",)).columns()
    assert [len(values) for values in columns.values()] == [0, 0, 0, 0]
    assert columns["timestamp"].dtype == np.int64


def test_files_are_counted_with_their_bad_lines():
    log = EventLog(())
    log.count_file(FileReport(Path("a"), 10, 2))
    log.count_file(FileReport(Path("b"), 5, 1))
    assert (log.rows_in, log.rejected) == (15, 3)
