"""How numbers, times and shares are written on the page."""

from __future__ import annotations

import datetime
import math


def count(value: float) -> str:
    """A whole number.

    Example:
        >>> count(1234567.0)
        '1,234,567'
    """
    return f"{round(value):,}"


def metric(value: float | None) -> str:
    """A metric, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def share(part: float, whole: float) -> str:
    """A percentage that never rounds something down to nothing.

    Example:
        >>> share(1, 100_000), share(0, 10), share(1, 4)
        ('< 0.1 %', '0 %', '25.0 %')
    """
    if not part or not whole:
        return "0 %"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %"


def plain(value: float) -> str:
    """Few digits, no exponent where a person would not write one.

    Example:
        >>> plain(3.0), plain(0.12345), plain(1406073600.0)
        ('3', '0.1235', '1,406,073,600')
    """
    if value == round(value):
        return f"{round(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def date(seconds: float) -> str:
    """Unix seconds -> a day, or the number itself where it is none."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return plain(seconds)
    return moment.strftime("%Y-%m-%d")


def moment(milliseconds: float) -> str:
    """Milliseconds of the metadata store -> a date with the time."""
    time = datetime.datetime.fromtimestamp(
        milliseconds / 1000, datetime.timezone.utc
    )
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Seconds in the units that a person would use.

    Example:
        >>> duration(0.234), duration(75), duration(4000)
        ('0.2 s', '1 min 15 s', '1 h 7 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"
