"""Behaviours as text: what an event says, by its type and its item.

A template names columns of the item and the event's own text:

    cart: "{title}. {brand}. {categories}"

An empty field drops out with its separator, the words between it and the
field before; words before the first field and after the last one stay. A
template that comes out empty gives the item's title, or nothing. Pure
functions on strings; training, pipeline and export share them.
"""

from __future__ import annotations

import dataclasses
import difflib
import string
from collections.abc import Iterable, Mapping
from typing import Any

from schema import features

DEFAULT = "default"  # the template of all types without one
FIELDS = (*features.ITEM_TEXT_COLUMNS, features.TEXT)
SPACE = " \t\r\n"  # taken off both ends of a value, as in an item's text

# Domain -> event type -> template. What costs a person more says more: a
# click tells what was seen in a list, a view what was read, a purchase all
# that was weighed; a comment or a search speaks for itself.
DOMAINS: Mapping[str, Mapping[str, str]] = {
    "shop": {
        "click": "{title}",
        "view": "{description}",
        "cart": "{title}. {brand}. {categories}",
        "purchase": "{title}. {brand}. {categories}",
        "comment": "{text}",
        "search": "{text}",
        DEFAULT: "{title}",
    },
    "news": {
        "view": "{title}. {description}",
        "like": "{title}. {categories}",
        "share": "{title}. {categories}",
        "comment": "{text}",
        "search": "{text}",
        DEFAULT: "{title}",
    },
    "media": {
        "view": "{title}. {categories}",
        "like": "{title}. {brand}. {keywords}",
        "favourite": "{title}. {brand}. {keywords}",
        "comment": "{text}",
        "search": "{text}",
        DEFAULT: "{title}",
    },
}


@dataclasses.dataclass(frozen=True)
class Template:
    """A parsed template: words, then a field, ..., then the last words.

    Attributes:
        fields: (words before it, name of a column), at least one.
        tail: words after the last field.
    """

    fields: tuple[tuple[str, str], ...]
    tail: str

    @property
    def reads_text(self) -> bool:
        """Whether it names the event's own text."""
        return any(name == features.TEXT for _, name in self.fields)

    def _present(self, values: Mapping[str, str]) -> list[str]:
        """Fields that are printed, the event's text among them in any case."""
        return [
            name
            for _, name in self.fields
            if name == features.TEXT or values.get(name, "").strip(SPACE)
        ]

    def _pieces(self, values: Mapping[str, str]) -> list[str]:
        """Words, value, words, value, ..., tail of the fields that are full."""
        pieces: list[str] = []
        for words, name in self.fields:
            value = values.get(name, "").strip(SPACE)
            if value:
                # The first words lead in, whichever field comes first.
                lead = words if pieces else self.fields[0][0]
                pieces += [lead, value]
        return [*pieces, self.tail] if pieces else []

    def render(self, values: Mapping[str, str]) -> str:
        """The text of one event.

        Args:
            values: by column; a missing one is empty.

        Example:
            >>> cart = parse_template("{title}. {brand}. {categories}")
            >>> cart.render({"title": "Rose balm", "categories": "Lips"})
            'Rose balm. Lips'
            >>> parse_template("{description}").render({"title": "Rose balm"})
            'Rose balm'
        """
        said = "".join(self._pieces(values))
        return said.strip(SPACE) or values.get(features.TITLE, "").strip(SPACE)

    def around(self, values: Mapping[str, str]) -> tuple[str, str]:
        """What stands before and after the event's text, where it has one.

        Args:
            values: of the item's columns.

        Returns:
            [before, after], so that `before + text + after` is what `render`
            gives with that text.
        """
        pieces = self._pieces({**values, features.TEXT: "."})
        at = 2 * self._present(values).index(features.TEXT) + 1
        before, after = "".join(pieces[:at]), "".join(pieces[at + 1:])
        return before.lstrip(SPACE), after.rstrip(SPACE)


@dataclasses.dataclass(frozen=True)
class Templates:
    """The template of every event type.

    Attributes:
        by_type: event type -> template.
        default: of all other types.
    """

    by_type: Mapping[str, Template]
    default: Template

    def of(self, event_type: str) -> Template:
        """The template of a type, known or not."""
        return self.by_type.get(event_type, self.default)

    @property
    def item_columns(self) -> list[str]:
        """Item columns that any template reads, and the title to fall back to.
        """
        named = {
            name
            for template in (*self.by_type.values(), self.default)
            for _, name in template.fields
        }
        return [
            name
            for name in features.ITEM_TEXT_COLUMNS
            if name in named or name == features.TITLE
        ]


def parse_template(text: str) -> Template:
    """Reads one template.

    Raises:
        ValueError: if it names no field, one twice or one that is unknown, or
            if its braces do not fit.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no template: {error}.") from error
    fields: list[tuple[str, str]] = []
    words = ""  # a doubled brace ends a part before its field
    for more, name, spec, conversion in parts:
        words += more
        if name is None:
            continue
        if spec or conversion:
            raise ValueError(f"{text!r} formats {name}; write {{{name}}}.")
        fields.append((words, name))
        words = ""
    names = [name for _, name in fields]
    for name in names:
        if name not in FIELDS:
            raise ValueError(
                f"{text!r} names {name!r}; a template is made of "
                f"{', '.join(FIELDS)}.{nearest_of(name, FIELDS)}"
            )
        if names.count(name) > 1:
            raise ValueError(f"{text!r} names {name} twice; once is enough.")
    if not fields:
        raise ValueError(
            f"{text!r} names no field, so it says the same of every event; "
            f"name one of {', '.join(FIELDS)} in braces."
        )
    return Template(tuple(fields), tail=words)


def nearest_of(name: Any, known: Iterable[str]) -> str:
    """A sentence with the nearest known name, or nothing."""
    close = difflib.get_close_matches(str(name), list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else ""
