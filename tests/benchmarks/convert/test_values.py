from __future__ import annotations

import math
from typing import Any

import pytest

from benchmarks.convert.faults import BadLineError
from benchmarks.convert.values import (
    as_categories,
    as_id,
    as_price,
    as_rating,
    as_text,
    as_time,
    field,
    json_object,
    python_object,
    without_html,
)


def test_json_and_python_objects_are_read():
    assert json_object('{"a": "\\u00e9", "b": [1.5]}') == {"a": "é", "b": [1.5]}
    assert python_object("{'a': u'\\xe9', 'b': [1.5]}") == {
        "a": "é", "b": [1.5],
    }


def test_a_python_file_may_hold_json_lines():
    # As Python, the escaped slash would keep its backslash.
    assert python_object('{"a": "1\\/2", "b": true}') == {"a": "1/2", "b": True}
    assert python_object("{\"it's\": 'a \"b\"'}") == {"it's": 'a "b"'}


@pytest.mark.parametrize(
    "line", ["", "{", "[1]", '{"a": }', "null", "[" * 100_000]
)
def test_what_is_no_json_object_is_a_bad_line(line: str) -> None:
    with pytest.raises(BadLineError, match="is no JSON"):
        json_object(line)


@pytest.mark.parametrize(
    "line",
    [
        "", "{'a'", "['a']", "{'a': b}", "{'a': f()}", "(" * 10_000, "{[]: 1}",
        "{'a': 1}\x00",
    ],
)
def test_what_is_no_dictionary_is_a_bad_line(line: str) -> None:
    with pytest.raises(BadLineError, match="is no"):
        python_object(line)


def test_a_literal_is_never_executed(tmp_path: Any) -> None:
    made = tmp_path / "made"
    with pytest.raises(BadLineError, match="is no Python literal"):
        python_object(f"{{'a': open({str(made)!r}, 'w')}}")
    assert not made.exists()


def test_a_missing_field_is_named():
    assert field({"asin": None}, "asin") is None
    with pytest.raises(BadLineError, match="has no 'asin'"):
        field({}, "asin")


def test_ids_are_texts_without_space_around_them():
    assert as_id(" B00é 1 ") == "B00é 1"


@pytest.mark.parametrize(
    "value", ["", "  ", None, 7, ["a"], "a\x00b", "a\nb", "\ud800"]
)
def test_what_is_no_id_is_a_bad_line(value: object) -> None:
    with pytest.raises(BadLineError, match="is no id"):
        as_id(value)


def test_ratings_are_numbers():
    assert as_rating("3.5") == 3.5
    assert as_rating(4) == 4.0


@pytest.mark.parametrize(
    "value", ["", "five", None, [5], math.nan, math.inf, "-inf", 10**400, 1e39]
)
def test_what_is_no_rating_is_a_bad_line(value: object) -> None:
    with pytest.raises(BadLineError, match="is no rating"):
        as_rating(value)


def test_times_keep_their_unit():
    assert as_time("1406073600") == 1406073600
    assert as_time(1588615855070, 1000) == 1588615855070
    assert as_time(0) == 0


@pytest.mark.parametrize(
    "value", ["", "1.5", "x", None, -1, 10**18, math.nan, math.inf, [1]]
)
def test_what_is_no_time_is_a_bad_line(value: object) -> None:
    with pytest.raises(BadLineError, match="is no time"):
        as_time(value)


def test_a_long_value_is_cut_in_the_message():
    with pytest.raises(BadLineError) as caught:
        as_id("\n" * 10_000)
    assert len(str(caught.value)) < 60


def test_texts_become_one_line_that_utf_8_can_hold():
    assert as_text("a\r\n b\t\x00c\x85d", ["e", 5, None], 7, "\ud83d") == (
        "a b c d e"
    )
    assert as_text("𝄞 naïve") == "𝄞 naïve"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Salt &amp; Pepper&#39;s", "Salt & Pepper's"),
        ("&lt;b&gt;Bold&lt;/b&gt; cup", "Bold cup"),
        ('<p class="x">One</p><br/>two<!-- three -->', "One two"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a&nbsp;b", "a b"),
    ],
)
def test_html_leaves_its_text_alone(raw: str, text: str) -> None:
    assert without_html(raw) == text


def test_category_paths_cannot_break_the_contract():
    paths = [["A > B", "C"], ["D|E", " "], [], ["A > B", "C"]]
    assert as_categories(paths) == "A / B > C | D/E"


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        (7.99, "7.99"), (12, "12"), ("$1,000.50", "1000.50"), ("$5", "5"),
        (None, ""), ("", ""), ("$1.00 - $2.00", ""), ("from 3", ""),
        (".a-box-inner{color:#fff}", ""), (-1.0, ""), (math.nan, ""),
    ],
)
def test_prices_are_digits_or_nothing(raw: object, price: str) -> None:
    assert as_price(raw) == price
