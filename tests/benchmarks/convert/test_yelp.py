from __future__ import annotations

import calendar
import json
from pathlib import Path
from typing import Any

import pytest
from raw_dumps import load, rows, write

from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.yelp import yelp

REVIEW = "yelp_academic_dataset_review.json"
BUSINESS = "yelp_academic_dataset_business.json"
USER = "yelp_academic_dataset_user.json"


def review(user: str, business: str, stars: Any, date: Any) -> str:
    return json.dumps({
        "review_id": "r", "user_id": user, "business_id": business,
        "stars": stars, "useful": 0, "text": "Nice.\n", "date": date,
    })


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    write(raw, REVIEW, [
        review("u1", "b1", 3.0, "2016-03-09 12:30:05"),
        review("u1", "b2", 5, "2004-10-12"),
    ])
    write(raw, BUSINESS, [
        json.dumps({
            "business_id": "b1", "name": "Roll & Bun", "city": "Tucson",
            "state": "AZ", "stars": 4.5, "categories": "Food, Bakeries, Food",
        }),
        json.dumps({"business_id": "b2", "name": "Spa", "categories": None}),
    ])
    return raw


def test_reviews_and_businesses_become_tables(raw: Path) -> None:
    convert(yelp(raw), raw / "out", Options())
    day = calendar.timegm((2016, 3, 9, 12, 30, 5))
    early = calendar.timegm((2004, 10, 12, 0, 0, 0))
    assert rows(raw / "out", "events") == [
        ["user_id", "item_id", "timestamp", "rating"],
        ["u1", "b1", str(day), "3"],
        ["u1", "b2", str(early), "5"],
    ]
    assert rows(raw / "out", "items") == [
        ["item_id", "title", "categories", "keywords"],
        ["b1", "Roll & Bun", "Food | Bakeries", "Tucson, AZ"],
        ["b2", "Spa", "", ""],
    ]
    assert not (raw / "out" / "users.csv.gz").exists()
    assert load(raw / "out").anomalies == []


def test_users_are_written_if_they_are_there(raw: Path) -> None:
    write(raw, USER, [
        json.dumps({
            "user_id": user, "name": "Ann", "review_count": 9, "fans": 3,
            "yelping_since": since,
        })
        for user, since in [("u0", "2010-01-01"), ("u1", "2012-02-25 16:41:20")]
    ])
    convert(yelp(raw), raw / "out", Options())
    assert rows(raw / "out", "users") == [
        ["user_id", "profile"], ["u1", "on Yelp since 2012"],
    ]
    dataset = load(raw / "out")
    assert dataset.anomalies == []
    assert dataset.users.profiles == ["on Yelp since 2012"]


@pytest.mark.parametrize("date", ["yesterday", None, 20160309, "1969-01-01"])
def test_a_review_without_a_date_is_a_bad_line(raw: Path, date: Any) -> None:
    good = [review(f"u{n}", "b1", 3.0, "2016-03-09") for n in range(100)]
    write(raw, REVIEW, [*good, review("u1", "b1", 3.0, date)])
    done = convert(yelp(raw), raw / "out", Options())
    assert (done.log.rows_in, done.log.rejected) == (101, 1)
    assert "line 101 (" in done.reports[0].first_bad[0]


@pytest.mark.parametrize("name", [REVIEW, BUSINESS])
def test_a_missing_file_is_named(raw: Path, name: str) -> None:
    (raw / name).unlink()
    with pytest.raises(ConversionError, match=f"no {name}; found: .*Yelp"):
        yelp(raw)
