"""Lines of Amazon's reviews and metadata of 2014, 2018 and 2023.

Formats: the pages of Julian McAuley's group at UC San Diego.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from benchmarks.convert.source import Row
from benchmarks.convert.values import (
    as_categories,
    as_id,
    as_price,
    as_rating,
    as_time,
    field,
    json_object,
    python_object,
    without_html,
)
from schema import features

# Titles of pages that were saved unrendered hold this, of their JavaScript.
_UNRENDERED = "getTime"
ITEM_COLUMNS = (
    features.TITLE, features.DESCRIPTION, features.CATEGORIES, features.BRAND,
    features.PRICE,
)


@dataclasses.dataclass(frozen=True)
class Version:
    """Names of files and fields of one year's dump.

    Attributes:
        dump: its name and an example of its files, for messages.
        reviews: pattern of the reviews' file, its ending left out.
        ending: pattern of the ending of all names.
        parse: reads a line.
        user, item, rating, time: fields of a review; `item` of an item too.
        categories, brand: fields of an item.
        described: fields that make the description, in order.
        per_second: units of `time`; above 1 they become positions.
        raw_min_events: for files of all reviews, not of a core (`..._5`).
    """

    dump: str
    reviews: str
    ending: str
    parse: Callable[[str], dict[str, Any]]
    user: str
    item: str
    rating: str
    time: str
    categories: str
    brand: str
    described: tuple[str, ...]
    per_second: int = 1
    raw_min_events: int = 0


OF_2014 = Version(
    dump="Amazon product data of 2014 (McAuley, UCSD), such as "
    "reviews_Beauty_5.json.gz and meta_Beauty.json.gz",
    reviews=r"reviews_.+", ending=r"\.json(\.gz)?", parse=python_object,
    user="reviewerID", item="asin", rating="overall", time="unixReviewTime",
    categories="categories", brand="brand", described=("description",),
    raw_min_events=5,
)
OF_2018 = Version(
    dump="Amazon review data of 2018 (Ni and McAuley, UCSD), such as "
    "All_Beauty_5.json.gz and meta_All_Beauty.json.gz",
    reviews=r"(?!meta_|reviews_).+", ending=r"\.json(\.gz)?",
    parse=json_object,
    user="reviewerID", item="asin", rating="overall", time="unixReviewTime",
    categories="category", brand="brand", described=("feature", "description"),
)
OF_2023 = Version(
    dump="Amazon Reviews 2023 (McAuley Lab), such as All_Beauty.jsonl.gz and "
    "meta_All_Beauty.jsonl.gz",
    reviews=r"(?!meta_).+", ending=r"\.jsonl(\.gz)?", parse=json_object,
    user="user_id", item="parent_asin", rating="rating", time="timestamp",
    categories="categories", brand="store",
    described=("features", "description"), per_second=1000,
)


def _categories(value: object) -> str:
    """Of one path of names, or of a list of paths."""
    levels = value if isinstance(value, list) else []
    is_nested = any(isinstance(level, list) for level in levels)
    return as_categories(
        [without_html(level) for level in path if isinstance(level, str)]
        for path in (levels if is_nested else [levels])
        if isinstance(path, list)
    )


def _item_row(record: dict[str, Any], version: Version) -> Row:
    title = without_html(record.get("title"))
    return {
        features.ITEM_ID: as_id(field(record, version.item)),
        features.TITLE: "" if _UNRENDERED in title else title,
        features.DESCRIPTION: without_html(
            *(record.get(name) for name in version.described)
        ),
        features.CATEGORIES: _categories(record.get(version.categories)),
        features.BRAND: without_html(record.get(version.brand)),
        features.PRICE: as_price(record.get("price")),
    }


def item_parser(version: Version) -> Callable[[str], Row]:
    """What reads a line of metadata."""
    return lambda line: _item_row(version.parse(line), version)


def review_parser(version: Version) -> Callable[[str], tuple[Any, ...]]:
    """What reads a line of reviews: user, item, second, rating, position."""

    def parse(line: str) -> tuple[Any, ...]:
        record = version.parse(line)
        time = as_time(field(record, version.time), version.per_second)
        second, position = divmod(time, version.per_second)
        return (
            as_id(field(record, version.user)),
            as_id(field(record, version.item)),
            second,
            as_rating(field(record, version.rating)),
            *((position,) if version.per_second > 1 else ()),
        )

    return parse
