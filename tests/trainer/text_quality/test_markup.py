"""What a browser would show, worked out by hand."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.text_quality.markup import Shown, shown

_FRAGMENTS = st.sampled_from([
    "<", ">", "&", ";", "/", "!", "-", "[", "]", "?", '"', "'", "=", " ",
    "\n", "a", "b", "br", "if", "CDATA[", "script", "style", "p", "amp",
    "lt", "#60", "#x3c", "o:p", "\u8336", "\x00",
])


def words(text: str) -> list[str]:
    return shown(text).text.split()


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("<p>Red tea</p><p>Cup</p>", ["Red", "tea", "Cup"]),
        ("Red<br>tea<BR/>cup", ["Red", "tea", "cup"]),
        ("bo<b>ld</b> and <i class='x > y'>leaning</i>",
         ["bold", "and", "leaning"]),
        ("<ul><li>one<li>two</ul>", ["one", "two"]),
        ("a<script>if (x < 1) { y('<b>') }</script>b", ["ab"]),
        ("a<style>p > b { color: red }</style> b", ["a", "b"]),
        ("a<!-- not > seen -->b", ["ab"]),
        ("<!DOCTYPE html><?xml version='1.0'?>a", ["a"]),
        ("<![CDATA[x <b> y]]>", ["x", "<b>", "y"]),
        ("<![if !supportLists]>a<![endif]>", ["a"]),
        ("<o:p>a</o:p> <my-tag>b</my-tag>", ["a", "b"]),
        ("<a href='?x=1&amp;y=2'>here</a>", ["here"]),
        ("Salt &amp; pepper &#8364;5 &#x2014; &eacute;t&eacute;",
         ["Salt", "&", "pepper", "€5", "—", "été"]),
        ("5&nbsp;kg", ["5", "kg"]),
        ("<b>never closed", ["never", "closed"]),
        ("closed only</b>", ["closed", "only"]),
        ("text <script>cut off (a<b", ["text"]),
    ],
)
def test_markup_goes_and_its_text_stays(written, seen):
    assert words(written) == seen


@pytest.mark.parametrize(
    "text",
    [
        "I <3 you", "a < b > c", "Songs by <Maroon 5> live", "AT&T, R&D",
        "salt&pound cake", "1&2", "x <y", "<", "&", "<>", "a <b", "&nope;",
        "<![wow]>", "Size <M>", "</Foo> bar".lower(), "Cats > Dogs",
        "\u30bb\u30fc\u30eb<\u65b0\u54c1>\u5165\u8377",
    ],
)
def test_what_only_looks_like_markup_stays(text):
    assert shown(text) == Shown(text)


@pytest.mark.parametrize(
    ("text", "has_markup", "has_entities"),
    [
        ("<b>a</b>", True, False),
        ("a &amp; b", False, True),
        ("<b>a &amp; b</b>", True, True),
        ("<!-- x -->", True, False),
        ("plain & simple", False, False),
    ],
)
def test_it_tells_what_was_written(text, has_markup, has_entities):
    found = shown(text)
    assert (found.has_markup, found.has_entities) == (has_markup, has_entities)


def test_blocks_end_lines_and_inline_elements_do_not():
    assert shown("<h1>a</h1>b<br>c<span>d</span>").text == "\na\nb\ncd"


def test_a_tag_that_is_cut_off_is_not_left_to_the_parser(monkeypatch):
    # Some releases of Python drop it when the parser is closed.
    monkeypatch.setattr(HTMLParser, "close", lambda self: None)
    assert shown("<b>x</b> <y & z").text == "x <y & z"


@given(st.text(st.characters(exclude_characters="<&")))
def test_text_without_either_mark_is_itself(text):
    assert shown(text) == Shown(text)


@given(st.lists(_FRAGMENTS, max_size=25).map("".join))
def test_whatever_is_written_can_be_read(text):
    found = shown(text)
    assert found.has_markup or found.has_entities or found.text == text
