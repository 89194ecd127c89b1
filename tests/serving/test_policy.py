"""Selection and exclusion against loops over Python sets."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import policy

SCORES = tf.constant([[0.5, 3.0, 3.0, -1.0], [9.0, 8.0, 7.0, 6.0]])
NONE = tf.zeros([2, 4], tf.bool)


def select(scores, excluded, k):
    columns, best = policy.top_k_admissible(
        scores, excluded, tf.constant(k, tf.int32)
    )
    return columns.numpy().tolist(), best.numpy().tolist()


def test_equal_scores_keep_the_order_of_columns():
    columns, scores = select(SCORES, NONE, [3, 3])
    assert columns == [[1, 2, 0], [0, 1, 2]]
    assert scores == [[3.0, 3.0, 0.5], [9.0, 8.0, 7.0]]


def test_a_row_ends_at_its_own_k():
    columns, scores = select(SCORES, NONE, [1, 2])
    assert columns == [[1, -1], [0, 1]]
    assert scores == [[3.0, -np.inf], [9.0, 8.0]]


def test_an_excluded_column_does_not_return_even_if_nothing_else_is_left():
    excluded = tf.constant([[True] * 4, [True, True, False, True]])
    assert select(SCORES, excluded, [2, 2])[0] == [[-1, -1], [2, -1]]


def test_nan_and_minus_infinity_are_no_answers():
    scores = tf.constant([[np.nan, 1.0, -np.inf]])
    assert select(scores, tf.zeros([1, 3], tf.bool), [3])[0] == [[1, -1, -1]]


def test_k_above_the_columns_is_cut_to_them():
    assert np.shape(select(SCORES, NONE, [2**31 - 1, 1])[0]) == (2, 4)


def test_k_below_one_gives_no_columns():
    assert select(SCORES, NONE, [0, -5])[0] == [[], []]


def test_a_mask_marks_repeats_once_and_ignores_minus_one():
    excluded = tf.constant([[2, 2, -1], [-1, -1, -1]])
    assert policy.excluded_mask(excluded, 3).numpy().tolist() == [
        [False, False, True],
        [False, False, False],
    ]


def test_a_mask_of_no_columns_excludes_nothing():
    mask = policy.excluded_mask(tf.zeros([2, 0], tf.int32), 3)
    assert not mask.numpy().any() and mask.shape == (2, 3)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(-1, 9), min_size=0, max_size=12),
    st.lists(st.integers(-1, 9), min_size=1, max_size=8),
)
def test_membership_is_that_of_sets(excluded, rows):
    marked = policy.is_excluded(
        tf.constant([rows], tf.int32),
        tf.constant([excluded], tf.int32, shape=[1, len(excluded)]),
    )
    wanted = [row >= 0 and row in set(excluded) for row in rows]
    assert marked.numpy().tolist() == [wanted]


def test_membership_is_checked_row_by_row():
    rows = tf.constant([[1, 2], [1, 2]])
    excluded = tf.constant([[2, 7, -1], [1, -1, -1]])
    assert policy.is_excluded(rows, excluded).numpy().tolist() == [
        [False, True],
        [True, False],
    ]


def test_places_without_a_row_read_as_empty_strings():
    values = tf.constant(["a", "b"])
    gathered = policy.gather_or_empty(values, tf.constant([[1, -1, 0]]))
    assert gathered.numpy().tolist() == [[b"b", b"", b"a"]]


def test_the_whole_catalogue_is_scored():
    vectors = tf.constant([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]])
    rows, scores = policy.exact_search(
        tf.constant([[2.0, 1.0]]),
        policy.Shelf(tf.Variable(vectors)),
        policy.Admission.excluding(tf.constant([[0]])),
        tf.constant([2]),
    )
    assert rows.numpy().tolist() == [[1, 2]]  # 2*0+1*1 = 1, -2+.5 = -1.5
    assert scores.numpy().tolist() == [[1.0, -1.5]]
