from __future__ import annotations

import datetime

import pytest

from benchmarks.convert.faults import BadLineError
from benchmarks.convert.mind_lines import parse_impression, parse_news


def test_an_impression_has_clicks_and_a_history():
    line = "91\tU1\t11/15/2019 10:22:32 AM\tN3 N1\tN4-0 N-5-1"
    one = parse_impression(line)
    assert (one.user, one.history) == ("U1", ["N3", "N1"])
    assert one.shown == [("N4", False), ("N-5", True)]
    # By hand: 18,215 days after 1970 and 10 h 22 min 32 s.
    assert one.seconds == 18215 * 86400 + 37352


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("11/11/2019 9:05:58 AM", 9), ("11/11/2019 9:05:58 PM", 21),
        ("11/11/2019 12:05:58 AM", 0), ("11/11/2019 12:05:58 PM", 12),
    ],
)
def test_hours_are_counted_from_noon_and_midnight(
    text: str, hour: int
) -> None:
    seconds = parse_impression(f"1\tU1\t{text}\t\tN1-0").seconds
    zone = datetime.timezone.utc
    moment = datetime.datetime(2019, 11, 11, hour, 5, 58, tzinfo=zone)
    assert seconds == moment.timestamp()


def test_a_history_may_be_empty():
    one = parse_impression("1\tU1\t11/11/2019 9:05:58 AM\t\tN1-1")
    assert one.history == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1\tU1\t11/11/2019 9:05:58 AM\tN1-1", "has 4 fields, not 5"),
        ("1\t\t11/11/2019 9:05:58 AM\t\tN1-1", "is no id"),
        ("1\tU1\t13/11/2019 9:05:58 AM\t\tN1-1", "is no time"),
        ("1\tU1\t11/11/2019 9:05:58\t\tN1-1", "is no time"),
        ("1\tU1\t11/11/2019 9:05:58 AM\t\tN1", "ends in neither -0 nor -1"),
        ("1\tU1\t11/11/2019 9:05:58 AM\t\tN1-2", "ends in neither -0 nor -1"),
        ("1\tU1\t11/11/2019 9:05:58 AM\t\t-1", "ends in neither -0 nor -1"),
        ("1\tU1\t11/11/2019 9:05:58 AM\tN\x001\tN1-1", "control characters"),
    ],
)
def test_other_lines_are_bad(line: str, reason: str) -> None:
    with pytest.raises(BadLineError, match=reason):
        parse_impression(line)


def test_news_have_two_levels_of_categories():
    line = (
        'N1\tnews\tnewsus\tThe "big" day\tWhat came.\thttps://x\t[{"L": 1}]\t[]'
    )
    assert parse_news(line) == {
        "item_id": "N1", "title": 'The "big" day', "description": "What came.",
        "categories": "news > newsus",
    }
    assert parse_news("N1\tnews\t\tT\t\thttps://x")["categories"] == "news"


def test_news_of_fewer_fields_are_bad():
    with pytest.raises(BadLineError, match="has 4 fields, not 8"):
        parse_news("N1\tnews\tnewsus\tTitle")
