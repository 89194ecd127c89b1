"""The fields of `trainer.config` as one list, for flags, YAML and help."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from functools import cache
from typing import Any, get_args, get_type_hints

import yaml

from trainer.config import RunConfig


@dataclasses.dataclass(frozen=True)
class Option:
    """One field of one section of the configuration."""

    section: str
    name: str
    type: type  # bool, int, float or str; choices and None left aside
    choices: tuple[str, ...]
    default: Any
    help: str
    low: float | None
    high: float | None

    @property
    def key(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def about(self) -> str:
        """Meaning, default and range in one sentence."""
        if self.default is None:
            return self.help  # which says what happens without it
        text = f"{self.help} (default {to_scalar(self.default)}"
        if self.low is not None and self.high is not None:
            text += f"; {to_scalar(self.low)} to {to_scalar(self.high)}"
        elif self.low is not None:
            text += f"; at least {to_scalar(self.low)}"
        return text + ")"


def sections() -> dict[str, type]:
    """The classes of the sections by name, in order."""
    return get_type_hints(RunConfig)


@cache
def all_options() -> tuple[Option, ...]:
    """Every field of every section, in the order of `trainer.config`."""
    return tuple(
        option
        for name, section in sections().items()
        for option in options_of(name, section)
    )


def options_of(name: str, section: type) -> tuple[Option, ...]:
    """Every field of one configuration class, in order.

    Args:
        name: of the section.
        section: a dataclass of `trainer.config.option` fields.
    """
    hints = get_type_hints(section)
    return tuple(
        _option(name, field, hints[field.name])
        for field in dataclasses.fields(section)
    )


def summary(section: str) -> str:
    """What a section is about."""
    return first_line(sections()[section])


def first_line(section: type) -> str:
    """The first line of a class's docstring."""
    return (section.__doc__ or "").partition("\n")[0]


def to_scalar(value: Any) -> str:
    """One value as YAML writes it: null, true, 0.1, a quoted string."""
    text = yaml.safe_dump(value, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the nearest known name, or nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]}?" if close else ""


def _option(section: str, field: dataclasses.Field[Any], hint: Any) -> Option:
    members = get_args(hint)  # of Literal["a", "b"] or of str | None
    choices = tuple(m for m in members if isinstance(m, str))
    types = [m for m in members or (hint,) if isinstance(m, type)]
    kind = str if choices else next(t for t in types if t is not type(None))
    metadata = field.metadata
    return Option(
        section,
        field.name,
        kind,
        choices,
        field.default,
        metadata["help"],
        metadata["low"],
        metadata["high"],
    )
