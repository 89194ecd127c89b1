"""Lists of the best columns against sorts and partitions of whole rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.top_lists import top_lists

MANY = settings(max_examples=60, deadline=None)
WIDE = 800  # columns enough for the way by blocks, at a width of 10


def by_partition(row: np.ndarray, width: int) -> list[int]:
    """What a partition of the whole row lists, equals in its order."""
    top = np.argpartition(-row, width - 1)[:width]
    ordered = sorted(top.tolist(), key=lambda column: -row[column])
    return [-1 if row[c] == -math.inf else c for c in ordered]


@pytest.fixture
def scores(rng: np.random.Generator) -> np.ndarray:
    """[3, WIDE] distinct scores."""
    distinct = np.tile(np.arange(WIDE, dtype=np.float32), (3, 1))
    return rng.permuted(distinct, axis=1)


def test_a_short_row_by_hand() -> None:
    scores = np.array([[1.0, 9.0, -np.inf, 5.0]])
    assert top_lists(scores, 4).tolist() == [[1, 3, 0, -1]]
    assert top_lists(scores, 1).tolist() == [[1]]


@MANY
@given(
    st.integers(1, 2_000), st.integers(1, 12), st.floats(0, 1),
    st.integers(0, 999),
)
def test_lists_equal_a_sort_of_each_row(
    columns: int, width: int, excluded: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    distinct = np.tile(np.arange(columns, dtype=np.float32), (3, 1))
    scores = generator.permuted(distinct, axis=1)
    scores[generator.random(scores.shape) < excluded] = -np.inf
    width = min(width, columns)
    expected = []
    for row in scores:
        best = sorted(
            np.flatnonzero(row > -math.inf).tolist(), key=lambda c: -row[c]
        )
        expected.append((best + [-1] * width)[:width])
    assert top_lists(scores, width).tolist() == expected


@MANY
@given(st.integers(1, 400), st.integers(1, 12), st.integers(0, 999))
def test_equals_are_listed_as_a_partition_of_the_row_does(
    distinct: int, width: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, distinct, (3, 2_000)).astype(np.float32)
    scores[generator.random(scores.shape) < 0.2] = -np.inf
    expected = [by_partition(row, width) for row in scores]
    assert top_lists(scores, width).tolist() == expected


def test_a_tie_with_what_is_left_out_is_seen(scores: np.ndarray) -> None:
    eleventh, tenth = np.argsort(scores[1])[-11:-9]
    scores[1, eleventh] = scores[1, tenth]
    expected = [by_partition(row, 10) for row in scores]
    assert top_lists(scores, 10).tolist() == expected


def test_a_score_that_is_no_number_hides_no_other(scores: np.ndarray) -> None:
    best = int(np.argmax(scores[0]))
    scores[0, :best] = np.nan
    scores[0, best + 1 : best + 700] = np.nan
    assert top_lists(scores, 1)[0].tolist() == [best]


def test_no_queries_have_no_lists() -> None:
    assert top_lists(np.zeros((0, WIDE), np.float32), 10).shape == (0, 10)
