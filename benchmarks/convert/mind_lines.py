"""Lines of MIND's behaviors.tsv and news.tsv.

Format: "Introduction to MIND", beside the data set.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools

from benchmarks.convert.faults import BadLineError
from benchmarks.convert.source import Row
from benchmarks.convert.values import as_categories, as_id, as_text
from schema import features

_TIME = "%m/%d/%Y %I:%M:%S %p"
_CLICKED = {"0": False, "1": True}


@dataclasses.dataclass(frozen=True)
class Impression:
    """What a user was shown at once.

    Attributes:
        user: id.
        seconds: since 1970.
        history: items clicked earlier, oldest first.
        shown: item, and whether it was clicked; in no order.
    """

    user: str
    seconds: int
    history: list[str]
    shown: list[tuple[str, bool]]


@functools.lru_cache(maxsize=1 << 16)
def _seconds(text: str) -> int:
    try:
        moment = datetime.datetime.strptime(text, _TIME)
    except ValueError:
        raise BadLineError(f"{text[:40]!r} is no time") from None
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())


def _shown(entry: str) -> tuple[str, bool]:
    item, _, label = entry.rpartition("-")
    if not item or label not in _CLICKED:
        raise BadLineError(f"{entry[:40]!r} ends in neither -0 nor -1")
    return item, _CLICKED[label]


def parse_impression(line: str) -> Impression:
    """A line of behaviors.tsv.

    Raises:
        BadLineError: if it is none.
    """
    fields = line.split("\t")
    if len(fields) != 5:
        raise BadLineError(f"has {len(fields)} fields, not 5")
    _, user, time, history, shown = fields
    if not (history + shown).isprintable():
        raise BadLineError("has control characters in its ids")
    return Impression(
        as_id(user), _seconds(time), history.split(),
        [_shown(entry) for entry in shown.split()],
    )


def parse_news(line: str) -> Row:
    """A line of news.tsv.

    Raises:
        BadLineError: if it is none.
    """
    fields = line.split("\t")
    if len(fields) < 5:
        raise BadLineError(f"has {len(fields)} fields, not 8")
    item, category, subcategory, title, abstract, *_ = fields
    return {
        features.ITEM_ID: as_id(item),
        features.TITLE: as_text(title),
        features.DESCRIPTION: as_text(abstract),
        features.CATEGORIES: as_categories(
            [[as_text(category), as_text(subcategory)]]
        ),
    }
