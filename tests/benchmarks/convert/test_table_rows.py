from __future__ import annotations

import numpy as np

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.table_rows import event_rows


def test_codes_and_numbers_become_text_again():
    log = EventLog(("rating", "position", "event_type", "split"))
    log.add("u", "i", 100, 4.0, 7, 2, 0)
    log.add("u", "j", 101, 3.5, 0, 0, 1)
    log.add("v", "i", 102, 0.1, 0, 8, 2)
    rows = list(event_rows(log, np.array([True, False, True])))
    assert rows == [
        ("u", "i", "100", "4", "7", "click", "train"),
        ("v", "i", "102", "0.1", "0", "purchase", "test"),
    ]


def test_blocks_join_without_a_gap():
    log = EventLog(())
    for number in range(150_000):  # three blocks
        log.add(f"u{number % 7}", "i", number)
    is_kept = np.arange(150_000) % 2 == 1
    rows = list(event_rows(log, is_kept))
    assert rows == [
        (f"u{number % 7}", "i", str(number)) for number in range(1, 150_000, 2)
    ]
