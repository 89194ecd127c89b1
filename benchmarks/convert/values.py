"""Turns raw fields into values of the data contract, or says what is wrong."""

from __future__ import annotations

import ast
import html
import json
import math
import re
import warnings
from collections.abc import Iterable
from typing import Any

from benchmarks.convert.faults import BadLineError
from schema import features

_MAX_RATING = 1e6  # float32 keeps the digits of what is below
_YEAR_10000 = 253_402_300_800  # unix seconds
_SHOWN_CHARS = 40  # of a value, in a message
# Control characters, and halves of UTF-16 pairs, which no UTF-8 can hold.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
_PRICE = re.compile(r"\$?(\d[\d,]*(?:\.\d+)?)")
_SEPARATORS = re.compile(
    f"[{features.CATEGORY_LEVEL_SEPARATOR}{features.CATEGORY_PATH_SEPARATOR}]"
)


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN_CHARS]


def json_object(line: str) -> dict[str, Any]:
    """The fields of a line that holds one JSON object.

    Raises:
        BadLineError: if it holds anything else.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLineError("is no JSON") from error
    if not isinstance(record, dict):
        raise BadLineError("is no JSON object")
    return record


def python_object(line: str) -> dict[str, Any]:
    """The fields of a line that holds a Python dictionary, or JSON.

    Only literals are read; nothing of the line is ever executed.

    Raises:
        BadLineError: if it holds anything else.
    """
    if line.startswith('{"'):
        try:
            return json_object(line)
        except BadLineError:
            pass  # a dictionary whose first key has an apostrophe, say
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes in the texts
            record = ast.literal_eval(line)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise BadLineError("is no Python literal") from None
    if not isinstance(record, dict):
        raise BadLineError("is no dictionary")
    return record


def field(record: dict[str, Any], name: str) -> Any:
    """A field that must be there.

    Raises:
        BadLineError: if it is not.
    """
    if name not in record:
        raise BadLineError(f"has no {name!r}")
    return record[name]


def as_id(value: object) -> str:
    """An id, white space around it left out.

    Raises:
        BadLineError: if it is no text, empty, or holds control characters.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isprintable():
        raise BadLineError(f"{_shown(value)} is no id")
    return text


def as_rating(value: Any) -> float:
    """A number that can be one of a scale.

    Raises:
        BadLineError: if it is none.
    """
    try:
        rating = float(value)
    except (TypeError, ValueError, OverflowError):
        rating = math.nan
    if not abs(rating) < _MAX_RATING:  # nor is NaN
        raise BadLineError(f"{_shown(value)} is no rating")
    return rating


def as_time(value: Any, per_second: int = 1) -> int:
    """Units of time since 1970, as they are.

    Args:
        value: a number, or the text of a whole one.
        per_second: how many units a second has.

    Raises:
        BadLineError: if it is none, before 1970 or after the year 9999.
    """
    try:
        time = int(value)
    except (TypeError, ValueError, OverflowError):
        time = -1
    if not 0 <= time < _YEAR_10000 * per_second:
        raise BadLineError(f"{_shown(value)} is no time")
    return time


def as_text(*values: object) -> str:
    """One line of plain text of texts and lists of texts; others are nothing.

    Example:
        >>> as_text(["Soft ", "Warm"], None, "for\\nwinter")
        'Soft Warm for winter'
    """
    parts = [
        part
        for value in values
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, str)
    ]
    return " ".join(_UNWRITABLE.sub(" ", " ".join(parts)).split())


def without_html(*values: object) -> str:
    """As `as_text`, with entities resolved and tags left out.

    Example:
        >>> without_html("<b>Salt &amp; pepper</b>", "under 5 &lt; 6")
        'Salt & pepper under 5 < 6'
    """
    return as_text(_TAG.sub(" ", html.unescape(as_text(*values))))


def as_categories(paths: Iterable[Iterable[str]]) -> str:
    """Paths of category levels as one text; repeats are left out.

    Example:
        >>> as_categories([["Home", "Tea|Coffee"], ["Gifts"], ["Gifts"], [""]])
        'Home > Tea/Coffee | Gifts'
    """
    level_mark = f" {features.CATEGORY_LEVEL_SEPARATOR} "
    path_mark = f" {features.CATEGORY_PATH_SEPARATOR} "
    joined = (
        level_mark.join(
            _SEPARATORS.sub("/", level) for level in levels if level.strip()
        )
        for levels in paths
    )
    return path_mark.join(dict.fromkeys(path for path in joined if path))


def as_price(value: object) -> str:
    """A price in digits; "" where there is none, or a range of prices.

    Example:
        >>> as_price("$1,299.50"), as_price(7.5), as_price("$1.00 - $2.00")
        ('1299.50', '7.5', '')
    """
    found = _PRICE.fullmatch(str(value).strip())
    return found.group(1).replace(",", "") if found else ""
