"""Yelp Open Dataset: reviews as events, businesses as items, users if there.

Stars are the ratings; texts of reviews are left out. Categories are a flat
list, so each is a path of one level; the keywords of a business are its city
and state. Stars, counts of reviews and fans of businesses and users are those
of the day of the dump, later than the events, and left out: of a user the year
of joining stays. Reviews of one second have no order, so there is no
`position`. Times have no zone in the dump and are taken for UTC.

Format: the documentation of the Yelp Open Dataset.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.faults import BadLineError
from benchmarks.convert.raw_files import RawFolder
from benchmarks.convert.reader import Reader
from benchmarks.convert.source import Row, Source
from benchmarks.convert.values import (
    as_categories,
    as_id,
    as_rating,
    as_text,
    as_time,
    field,
    json_object,
)
from schema import features

_DUMP = (
    "the Yelp Open Dataset, with yelp_academic_dataset_review.json and "
    "yelp_academic_dataset_business.json"
)
_FILE = "yelp_academic_dataset_{}.json"
_NOTES = (
    "reviews of one second have no order in Yelp, so there is no `position`; "
    "times are taken for UTC.",
    "texts of reviews are left out, and so are stars and counts of businesses "
    "and users, which know later events.",
)
_YEAR_DIGITS = 4


def _seconds(value: Any) -> int:
    """Of "2016-03-09 12:30:00", or of a day alone as in older dumps."""
    try:
        moment = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadLineError(f"{str(value)[:40]!r} is no date") from None
    return as_time(moment.replace(tzinfo=datetime.timezone.utc).timestamp())


def _review(line: str) -> tuple[str, str, int, float]:
    record = json_object(line)
    return (
        as_id(field(record, "user_id")),
        as_id(field(record, "business_id")),
        _seconds(field(record, "date")),
        as_rating(field(record, "stars")),
    )


def _business(line: str) -> Row:
    record = json_object(line)
    names = as_text(record.get("categories")).split(",")
    places = map(as_text, (record.get("city"), record.get("state")))
    return {
        features.ITEM_ID: as_id(field(record, "business_id")),
        features.TITLE: as_text(record.get("name")),
        features.CATEGORIES: as_categories([name.strip()] for name in names),
        features.KEYWORDS: ", ".join(place for place in places if place),
    }


def _user(line: str) -> Row:
    record = json_object(line)
    year = as_text(record.get("yelping_since"))[:_YEAR_DIGITS]
    return {
        features.USER_ID: as_id(field(record, "user_id")),
        features.PROFILE: f"on Yelp since {year}" if year else "",
    }


def _pattern(name: str) -> str:
    return re.escape(_FILE.format(name)) + r"(\.gz)?"


def yelp(raw: Path) -> Source:
    """Finds the files of reviews and businesses, and that of users if any.

    Raises:
        ConversionError: if one of the first two is missing.
    """
    folder = RawFolder(raw, _DUMP)
    reviews, businesses = (
        folder.find_one(_pattern(name), wanted=_FILE.format(name))
        for name in ("review", "business")
    )
    users = folder.find(_pattern("user"))

    def read_events(reader: Reader, log: EventLog) -> None:
        for row in reader.rows(reviews, _review):
            log.add(*row)
        log.count_file(reader.reports[reviews])

    return Source(
        event_columns=(features.RATING,),
        read_events=read_events,
        item_columns=(features.TITLE, features.CATEGORIES, features.KEYWORDS),
        read_items=lambda reader: reader.rows(businesses, _business),
        notes=_NOTES,
        user_columns=(features.PROFILE,) if users else (),
        read_users=(lambda reader: reader.rows(users[0], _user))
        if users
        else None,
    )
