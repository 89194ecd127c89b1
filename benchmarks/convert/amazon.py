"""Amazon reviews of 2014, 2018 and 2023: one category's reviews and metadata.

An event is a review: its text is left out, its rating kept. Titles,
descriptions and names lose HTML. In 2014 and 2018 times are days, and the
files list what a user did on one day by item, which is no order of events:
there is no `position`, and who keeps the order of the rows keeps that one. In
2023 times are milliseconds, and `position` is the millisecond in its second.

The metadata of 2014 are Python literals, which are parsed and never executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.convert.amazon_lines import (
    ITEM_COLUMNS,
    OF_2014,
    OF_2018,
    OF_2023,
    Version,
    item_parser,
    review_parser,
)
from benchmarks.convert.event_log import EventLog
from benchmarks.convert.raw_files import RawFolder
from benchmarks.convert.reader import Reader
from benchmarks.convert.source import Row, Source
from schema import features

_CORE = "_5"  # ends the name of a file of users and items with 5 reviews each
_DAYS = (
    "times are days: events of one user on one day have no order. The raw "
    "file lists them by item, and as there is no `position`, whoever keeps "
    "the order of the rows keeps that one."
)
_MILLISECONDS = (
    "times are milliseconds; `position` is the millisecond in its second."
)
_NO_TEXTS = "texts of the reviews are left out."


def _meta_file(folder: RawFolder, reviews: Path, version: Version) -> Path:
    """The metadata of the category that the reviews are of."""
    stem = re.sub(f"{version.ending}$", "", reviews.name)
    category = stem.removeprefix("reviews_").removesuffix(_CORE)
    return folder.find_one(
        f"meta_{re.escape(category)}{version.ending}",
        wanted=f"metadata of {reviews.name}, meta_{category}",
    )


def _amazon(raw: Path, version: Version) -> Source:
    folder = RawFolder(raw, version.dump)
    reviews = folder.find_one(
        version.reviews + version.ending, wanted="file of reviews"
    )
    meta = _meta_file(folder, reviews, version)
    has_positions = version.per_second > 1

    def read_events(reader: Reader, log: EventLog) -> None:
        for row in reader.rows(reviews, review_parser(version)):
            log.add(*row)
        log.count_file(reader.reports[reviews])

    def read_items(reader: Reader) -> Iterator[Row]:
        return reader.rows(meta, item_parser(version))

    is_core = f"{_CORE}." in reviews.name
    positions = (features.POSITION,) if has_positions else ()
    return Source(
        event_columns=(features.RATING, *positions),
        read_events=read_events,
        item_columns=ITEM_COLUMNS,
        read_items=read_items,
        notes=(_MILLISECONDS if has_positions else _DAYS, _NO_TEXTS),
        min_events=0 if is_core else version.raw_min_events,
    )


def amazon2014(raw: Path) -> Source:
    """Finds reviews_X_5.json.gz, or reviews_X.json.gz, and meta_X.json.gz.

    Raises:
        ConversionError: if one is missing, or if there are several categories.
    """
    return _amazon(raw, OF_2014)


def amazon2018(raw: Path) -> Source:
    """Finds X_5.json.gz, or X.json.gz, and meta_X.json.gz.

    Raises:
        ConversionError: as `amazon2014`.
    """
    return _amazon(raw, OF_2018)


def amazon2023(raw: Path) -> Source:
    """Finds X.jsonl.gz and meta_X.jsonl.gz.

    Raises:
        ConversionError: as `amazon2014`.
    """
    return _amazon(raw, OF_2023)
