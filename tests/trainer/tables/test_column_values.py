from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.tables.column_values import (
    codes,
    is_blank,
    is_repeat,
    parse_floats,
    parse_integers,
    places_in,
)


def texts(*values: str) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("874965478", 874965478.0),
        (" 4.5\t", 4.5),
        ("-2", -2.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("1.4e9", 1.4e9),
        ("1E-3", 0.001),
        ("1e400", math.inf),
    ],
)
def test_decimal_numbers_are_parsed(text, number):
    assert parse_floats(texts(text)).tolist() == [number]


@pytest.mark.parametrize(
    "text",
    ["", "x", "nan", "inf", "1,5", "0x10", "1_000", "--1", "1 2", "٣", "1\n2"],
)
def test_other_texts_are_no_number(text):
    assert math.isnan(parse_floats(texts(text))[0])


def test_integers_are_exact_beyond_what_a_float_holds():
    values, is_integer = parse_integers(texts("123456789012345678", "-7"))
    assert values.tolist() == [123456789012345678, -7]
    assert is_integer.all()


@pytest.mark.parametrize("text", ["", "1.5", "x", "1" * 19])
def test_what_is_no_integer_is_zero_and_marked(text):
    values, is_integer = parse_integers(texts(text))
    assert values.tolist() == [0]
    assert not is_integer.any()


def test_blank_is_nothing_but_white_space():
    values = texts("", " \t\n", "\u3000", "a", "\x00")
    assert is_blank(values).tolist() == [True, True, True, False, False]


def test_codes_follow_first_appearance():
    names, places = codes(texts("b", "a", "b", ""))
    assert names == ["b", "a", ""]
    assert places.tolist() == [0, 1, 0, 2]
    assert places.dtype == np.int32


def test_places_are_those_in_the_known_names():
    places = places_in(texts("c", "x", "a"), ["a", "b", "c"])
    assert places.tolist() == [2, -1, 0]


def test_nothing_is_in_an_empty_list():
    assert places_in(texts("a"), []).tolist() == [-1]


# Far enough apart that the columns do not fit into one integer as they are.
FAR = st.sampled_from([-(2**61), -1, 0, 1, 2**61])
HALVES = st.sampled_from([0.0, 0.5, 1.0, 1e300])


@settings(deadline=None)
@given(st.lists(st.tuples(FAR, FAR, HALVES), max_size=12))
def test_a_row_repeats_if_all_its_columns_were_there_before(rows):
    columns = [
        np.array([row[place] for row in rows], dtype)
        for place, dtype in enumerate((np.int64, np.int64, np.float64))
    ]
    expected = [row in rows[:place] for place, row in enumerate(rows)]
    assert is_repeat(columns).tolist() == expected


def test_rows_of_small_codes_repeat_too():
    columns = [np.array([0, 1, 0, 0], np.int32), np.array([2, 2, 1, 2])]
    assert is_repeat(columns).tolist() == [False, False, False, True]
