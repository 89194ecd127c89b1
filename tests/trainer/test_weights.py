"""Rows of a table that move with their names."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.weights import moved_rows


@pytest.mark.parametrize(
    ("old", "new", "first", "pairs"),
    [
        ("ab", "ab", 0, [(0, 0), (1, 1)]),
        ("ab", "bca", 0, [(1, 0), (0, 2)]),
        ("abc", "b", 0, [(1, 0)]),  # names that are gone are left behind
        ("ab", "ba", 1, [(0, 0), (2, 1), (1, 2)]),  # row 0 is for no name
        ("", "ab", 1, [(0, 0)]),
        ("ab", "", 0, []),
    ],
)
def test_a_name_takes_its_row_along(old, new, first, pairs):
    source, target = moved_rows(list(old), list(new), first)
    assert list(zip(source, target, strict=True)) == pairs


def test_rows_are_indices_even_where_there_are_none():
    source, target = moved_rows([], [], 0)
    assert source.dtype == target.dtype == np.int64
