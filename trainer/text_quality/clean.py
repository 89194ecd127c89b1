"""Cleans one text: markup, entities, control characters, white space."""

from __future__ import annotations

import dataclasses
import unicodedata

from trainer.text_quality.markup import shown

MARKUP, ENTITIES = "markup", "entities"
CONTROL, SPACE = "control characters", "white space"
FAULTS = (MARKUP, ENTITIES, CONTROL, SPACE)

# Formats that words need: they join letters of Persian and of Indian scripts,
# and the parts of an emoji; tags make up flags.
_KEPT_FORMATS = frozenset("\u200c\u200d") | {
    chr(code) for code in range(0xE0020, 0xE0080)
}
_REMOVED_CATEGORIES = ("Cc", "Cf", "Co", "Cs")


@dataclasses.dataclass(frozen=True)
class CleanText:
    """What is left of a text.

    Attributes:
        lines: not empty, without white space around.
        faults: what was found, of `FAULTS`.
    """

    lines: tuple[str, ...]
    faults: frozenset[str]

    @property
    def text(self) -> str:
        """The lines as one."""
        return " ".join(self.lines)


def _is_removed(character: str) -> bool:
    return (
        unicodedata.category(character) in _REMOVED_CATEGORIES
        and not character.isspace()
        and character not in _KEPT_FORMATS
    )


def _without_control(text: str) -> str:
    if text.isprintable():
        return text
    removed = {c for c in set(text) if _is_removed(c)}
    return text.translate(dict.fromkeys(map(ord, removed), None))


def _step(text: str) -> tuple[str, set[str]]:
    """One pass, and what it found."""
    visible = _without_control(text)
    now = shown(visible)
    is_found = {
        CONTROL: visible != text,
        MARKUP: now.has_markup,
        ENTITIES: now.has_entities,
    }
    found = {fault for fault, is_there in is_found.items() if is_there}
    return "\n".join(_lines(now.text)), found


def _lines(text: str) -> tuple[str, ...]:
    """Those that are not empty, with single spaces.

    Made in each pass, for a white space that markup does not know becomes one
    that it does.
    """
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(filter(None, lines))


def clean(text: str) -> CleanText:
    """Cleans until nothing changes any more.

    Catalogues are escaped twice as often as once (`&amp;lt;b&amp;gt;`), so
    what an entity stands for is cleaned in its turn.

    Example:
        >>> clean("Nuts &amp;amp; <br>bolts\\t M4").lines
        ('Nuts &', 'bolts M4')
    """
    faults: set[str] = set()
    before, now = "", text
    while now != before:
        before = now
        now, found = _step(before)
        faults |= found
    cleaned = CleanText(_lines(now), frozenset(faults))
    if not faults and cleaned.text != text:
        return dataclasses.replace(cleaned, faults=frozenset({SPACE}))
    return cleaned
