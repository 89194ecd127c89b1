from __future__ import annotations

import json
from pathlib import Path

from raw_dumps import write

from benchmarks.convert.amazon import amazon2018
from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.summary import summary


def test_all_that_was_read_and_written_is_told(tmp_path: Path) -> None:
    raw = tmp_path / "my raw"
    # u has three events, two of one day; v's repeats, w's item is unknown.
    events = [
        ("u", "a", 1), ("u", "b", 1), ("u", "a", 2), ("v", "a", 1),
        ("v", "a", 1), ("w", "c", 1),
    ] + [("x", "a", day) for day in range(194)]
    lines = [
        json.dumps({
            "reviewerID": user, "asin": item, "overall": 4,
            "unixReviewTime": 86400 * day,
        })
        for user, item, day in events
    ]
    write(raw, "Pets.json", ["?", *lines])
    write(raw, "meta_Pets.json", [
        json.dumps({"asin": "a", "title": "A", "category": ["Pets"]}),
        json.dumps({"asin": "b", "title": "B"}),
        json.dumps({"asin": "d", "title": "D"}),
    ])
    source, out = amazon2018(raw), tmp_path / "my out"
    done = convert(source, out, Options())
    assert list(summary(source, done, out)) == [
        "4 users, 3 items, 199 events",
        "rows: 201 read = 199 events + 1 rejected + 1 left out",
        "  left out: 1 events that are there before",
        "  rejected: 1 of the 201 lines of Pets.json cannot be used: line 1 "
        "(is no JSON)",
        "items with title 66.7%, description 0.0%, categories 33.3%, brand "
        "0.0%, price 0.0%",
        "  rows of items left out: 1 without an event, 0 that are there before",
        "  items that only events know, written by id alone: 1",
        "events at the time of an earlier one of the user: 0.5%",
        *(f"note: {note}" for note in source.notes),
        f"written: {out}/events.csv.gz, {out}/items.csv.gz",
        f"next: python -m trainer.task --data-dir '{out}' --split "
        f"leave_one_out --job-dir '{out}-job'",
    ]


def test_the_k_of_a_core_is_named(tmp_path: Path) -> None:
    lines = [
        json.dumps({
            "reviewerID": "u", "asin": "a", "overall": 4, "unixReviewTime": n,
        })
        for n in range(3)
    ]
    write(tmp_path, "Pets.json", lines)
    write(tmp_path, "meta_Pets.json", ['{"asin": "a"}'])
    source = amazon2018(tmp_path)
    done = convert(source, tmp_path / "out", Options(min_events=3))
    first, *_ = summary(source, done, tmp_path / "out")
    assert first == "k-core of 3: 1 users, 1 items, 3 events"
