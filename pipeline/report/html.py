"""Markup that cannot be forgotten to be escaped.

A plain string is text and is escaped wherever it is put; only what `element`
and `join` return is markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"br", "meta"})


class Html(str):
    """A string that is markup already."""

    __slots__ = ()


def escaped(content: str) -> Html:
    """Text as markup; markup as it is."""
    return content if isinstance(content, Html) else Html(escape(content))


def join(parts: Iterable[str]) -> Html:
    """Puts parts behind one another."""
    return Html("".join(map(escaped, parts)))


def element(tag: str, *children: str, **attributes: str | float) -> Html:
    """One element.

    Args:
        tag: its name.
        children: text, which is escaped, or markup.
        attributes: by name; `_` stands for `-`, and one at the end, as in
            `class_`, is dropped.

    Example:
        >>> element("p", "a < b", class_="note")
        '<p class="note">a &lt; b</p>'
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
    )
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{join(children)}</{tag}>")


def table(
    header: Iterable[str], rows: Iterable[Iterable[str]], *, class_: str = ""
) -> Html:
    """A table in a box of its own, which scrolls where it is too wide."""
    head = element("tr", *(element("th", cell) for cell in header))
    body = (
        element("tr", *(element("td", cell) for cell in row)) for row in rows
    )
    whole = element(
        "table", element("thead", head), element("tbody", *body), class_=class_
    )
    return element("div", whole, class_="scroll")


def note(text: str) -> Html:
    """A sentence that says what is not there, or how to read what is."""
    return element("p", text, class_="note")


def details(title: str, *content: str) -> Html:
    """What only some readers will want to unfold."""
    return element("details", element("summary", title), *content)


def section(title: str, *content: str) -> Html:
    """A section of the page, with the anchor that `anchor` gives."""
    return element(
        "section", element("h2", title), *content, id=anchor(title)
    )


def anchor(title: str) -> str:
    """The name that a section's title has in a link."""
    return title.lower().replace(" ", "-")
