from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trainer.text_quality.clean import clean

_PIECES = st.one_of(
    st.text(max_size=4),
    st.sampled_from([
        "&amp;", "&lt;", "&gt;", "&amp;amp;", "&amp;lt;b&amp;gt;", "<b>",
        "</p>", "<br", "<script>", "</script>", "&#0;", "&#8203;", "<\x00b>",
        "\x07", "\u200b", "\u00a0", "\u3000", "\ufeff", "<Foo>", "</Foo>",
    ]),
)
WRITTEN = st.lists(_PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "lines", "faults"),
    [
        ("Red tea", ["Red tea"], []),
        ("", [], []),
        ("  Red\t tea ", ["Red tea"], ["white space"]),
        ("Red\u00a0\u3000tea", ["Red tea"], ["white space"]),
        ("Red\r\n\r\ntea", ["Red", "tea"], ["white space"]),
        ("Red\x00 tea\x07", ["Red tea"], ["control characters"]),
        ("\ufeffRed te\u00ada\u200b", ["Red tea"], ["control characters"]),
        ("<p>Red</p> tea", ["Red", "tea"], ["markup"]),
        ("Red &amp; tea", ["Red & tea"], ["entities"]),
        ("Red &amp;amp;amp; tea", ["Red & tea"], ["entities"]),
        ("&lt;b&gt;Red&lt;/b&gt; tea", ["Red tea"], ["entities", "markup"]),
        ("<\x00b>Red tea", ["Red tea"], ["control characters", "markup"]),
        ("<img src='x.png'>", [], ["markup"]),
    ],
)
def test_one_text(text, lines, faults):
    cleaned = clean(text)
    assert list(cleaned.lines) == lines
    assert sorted(cleaned.faults) == faults


@pytest.mark.parametrize(
    "text",
    [
        "\u0928\u092e\u0938\u094d\u0924\u0947",  # Hindi, vowels are marks
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, joined
        "\U0001f469\u200d\U0001f52c \U0001f44d\U0001f3fd",  # emoji of parts
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067"
        "\U000e007f",  # flag of England
        "\u4e66\u7c4d\u3001\u8336\u676f",
        "\u0e0a\u0e32\u0e40\u0e22\u0e47\u0e19",
    ],
)
def test_marks_that_words_need_stay(text):
    assert clean(text).text == text
    assert clean(text).faults == frozenset()


def test_lines_are_one_text_with_spaces():
    assert clean("<p>Red</p><p>tea</p>").text == "Red tea"


@given(WRITTEN)
@example("<P\x85&gt;")
@example("<P\u2003&gt;")
def test_clean_text_is_clean(text):
    once = clean(text).text
    again = clean(once)
    assert again.text == once
    assert again.faults == frozenset()


@given(WRITTEN)
def test_nothing_invisible_is_left_around_or_between_words(text):
    left = clean(text).text
    assert left == left.strip() and "  " not in left
    assert not any(unicodedata.category(c) == "Cc" for c in left)


@given(WRITTEN)
def test_a_text_changes_only_with_a_fault(text):
    cleaned = clean(text)
    assert (cleaned.text != text) <= bool(cleaned.faults)
