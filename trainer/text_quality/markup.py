"""Turns HTML into the text that a browser would show.

What only looks like HTML stays: `<3`, `a < b`, `<Maroon 5>`, `AT&T`.
"""

from __future__ import annotations

import dataclasses
import html
import re
from html.parser import HTMLParser

# Elements of HTML, today's and yesterday's, whose content is shown in line.
_INLINE = frozenset(
    "a abbr acronym area audio b base basefont bdi bdo big button canvas cite "
    "code col colgroup data datalist del dfn em embed font i iframe img input "
    "ins kbd keygen label link map mark marquee meta meter nobr noscript "
    "object output param picture progress q rp rt ruby s samp script select "
    "slot small source span strike strong style sub sup svg template textarea "
    "time tt u var video wbr".split()
)
# Elements that begin and end a line.
_BLOCK = frozenset(
    "address article aside blockquote body br caption center dd details dialog "
    "dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 "
    "h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol "
    "optgroup option p pre search section summary table tbody td tfoot th "
    "thead title tr ul".split()
)
_UNSHOWN = ("script", "style")
# Of namespaces and custom elements, such as Word's <o:p>.
_QUALIFIED = (":", "-")
# A name without its semicolon is text: "salt&pound cake" is no "salt£ cake".
_BARE_AMPERSAND = re.compile(r"&(?!(?:#[0-9]+|#[xX][0-9a-fA-F]+|\w+);)")
# The parser refuses other sections than these.
_ODD_SECTION = re.compile(r"<!\[(?!CDATA\[|(?:if|else|endif)\b)")
_CDATA = "CDATA["


class _Parser(HTMLParser):
    """Collects what is shown.

    Attributes:
        parts: pieces of text, in order.
        has_markup: whether anything was taken away.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.has_markup = False
        self._unshown = ""

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        if self._is_markup(tag, self.get_starttag_text() or ""):
            self._unshown = tag if tag in _UNSHOWN else ""

    def handle_startendtag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        self._is_markup(tag, self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if self._is_markup(tag, f"</{tag}>") and tag == self._unshown:
            self._unshown = ""

    def handle_data(self, data: str) -> None:
        if not self._unshown:
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        self.has_markup = True

    def handle_decl(self, decl: str) -> None:
        self.has_markup = True

    def handle_pi(self, data: str) -> None:
        self.has_markup = True

    def unknown_decl(self, data: str) -> None:
        self.has_markup = True
        if data.startswith(_CDATA):
            self.handle_data(data.removeprefix(_CDATA))

    def _is_markup(self, tag: str, written: str) -> bool:
        """Takes a tag away, or keeps it as text where it is no HTML."""
        is_block = tag in _BLOCK
        is_known = is_block or tag in _INLINE
        if not is_known and not any(mark in tag for mark in _QUALIFIED):
            self.handle_data(html.unescape(written))
            return False
        self.has_markup = True
        if is_block:
            self.handle_data("\n")
        return True


def _open_end(text: str) -> int:
    """Where a tag begins that nothing closes; the length without one.

    What the parser does with it differs between releases of Python.
    """
    last = text.rfind("<")
    return len(text) if last <= text.rfind(">") else last


@dataclasses.dataclass(frozen=True)
class Shown:
    """What is shown of a text, and what was written in it."""

    text: str
    has_markup: bool = False
    has_entities: bool = False


def shown(text: str) -> Shown:
    """A text without tags, comments, scripts and styles, entities resolved.

    Args:
        text: HTML or plain text. A last tag that is cut off stays as it is.

    Returns:
        The text, with a line end where an element begins or ends a line.

    Example:
        >>> shown("<p>Salt &amp; <b>pep</b>per</p> I <3 it").text
        '\\nSalt & pepper\\n I <3 it'
    """
    if "<" not in text and "&" not in text:
        return Shown(text)
    escaped = _BARE_AMPERSAND.sub("&amp;", text)
    has_entities = html.unescape(escaped) != text
    escaped = _ODD_SECTION.sub("&lt;![", escaped)
    end = _open_end(escaped)
    parser = _Parser()
    parser.feed(escaped[:end])
    parser.close()
    parser.handle_data(html.unescape(escaped[end:]))
    return Shown("".join(parser.parts), parser.has_markup, has_entities)
