"""Fields of settings: their meaning, their legal values and the check."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints


def option(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A dataclass field with its meaning and its legal range."""
    metadata = {"help": text, "low": low, "high": high}
    return dataclasses.field(default=default, metadata=metadata)


def check_fields(section: Any) -> None:
    """Refuses values outside the type, range or choices of their field.

    Raises:
        ValueError: names the field, what it got and what it takes.
    """
    hints = get_type_hints(type(section))
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        _check_type(field.name, value, hints[field.name])
        _check_range(field, value)


def _check_type(name: str, value: Any, hint: Any) -> None:
    members = get_args(hint) or (hint,)  # of Literal[...] or of str | None
    choices = [member for member in members if isinstance(member, str)]
    if choices:
        if value not in choices:
            close = difflib.get_close_matches(str(value), choices, 1)
            did_you_mean = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"{name} must be one of {', '.join(choices)}, got {value!r}."
                f"{did_you_mean}"
            )
        return
    takes = (*members, int) if float in members else members
    is_bool = isinstance(value, bool)  # which is an int to isinstance
    if not isinstance(value, takes) or is_bool and bool not in members:
        names = " or ".join(_TYPE_WORDS[member] for member in members)
        raise ValueError(f"{name} must be {names}, got {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")


_TYPE_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "null",
}


def _check_range(field: dataclasses.Field[Any], value: Any) -> None:
    low, high = (field.metadata.get(end) for end in ("low", "high"))
    if value is None:
        return
    if low is not None and value < low:
        raise ValueError(f"{field.name} must be at least {low}, got {value}.")
    if high is not None and value > high:
        raise ValueError(f"{field.name} must be at most {high}, got {value}.")


def names_in(text: str) -> list[str]:
    """The names of a comma-separated list; none of an empty one."""
    return [name.strip() for name in text.split(",") if name.strip()]


def check_names(field: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Refuses names that are unknown or stand twice.

    Raises:
        ValueError: names the field, what it got and what it takes.
    """
    for name in names:
        if name not in known or names.count(name) > 1:
            raise ValueError(
                f"{field} takes each of {', '.join(known)} at most once, "
                f"separated by commas; got {', '.join(names)!r}."
            )
