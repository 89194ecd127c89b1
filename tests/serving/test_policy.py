"""Selection and exclusion against loops over Python sets."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from serving import policy
from serving.admission import Admission, Shelf

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


def test_places_without_a_row_read_as_empty_strings():
    values = tf.constant(["a", "b"])
    gathered = policy.gather_or_empty(values, tf.constant([[1, -1, 0]]))
    assert gathered.numpy().tolist() == [[b"b", b"", b"a"]]


def test_the_whole_catalogue_is_scored():
    vectors = tf.constant([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]])
    rows, scores = policy.exact_search(
        tf.constant([[2.0, 1.0]]),
        Shelf(tf.Variable(vectors)),
        Admission.excluding(tf.constant([[0]])),
        tf.constant([2]),
    )
    assert rows.numpy().tolist() == [[1, 2]]  # 2*0+1*1 = 1, -2+.5 = -1.5
    assert scores.numpy().tolist() == [[1.0, -1.5]]


def test_a_column_counts_those_of_its_category_before_it():
    codes = tf.constant([[5, 7, 5, -1, 5, -1], [1, 1, 1, 1, 1, 2]])
    assert policy.places_in_category(codes).numpy().tolist() == [
        [0, 0, 1, 0, 2, 1], [0, 1, 2, 3, 4, 0]
    ]


def test_no_columns_have_no_places():
    assert policy.places_in_category(tf.zeros([2, 0], tf.int32)).shape == (2, 0)


def test_a_cap_that_the_near_items_cannot_fill_looks_at_all():
    # The best 90 items are of one category, two others come far behind.
    categories = tf.Variable([0] * 90 + [1] * 5 + [-1] * 5)
    vectors = tf.Variable(np.linspace(1, 0, 100, dtype=np.float32)[:, None])
    admission = dataclasses.replace(
        Admission.excluding(tf.constant([[90]])),
        max_per_category=tf.constant([1]),
    )
    rows, _ = policy.exact_search(
        tf.constant([[1.0]]), Shelf(vectors, categories), admission,
        tf.constant([5]),
    )
    # Items without a category have no cap.
    assert rows.numpy().tolist() == [[0, 91, 95, 96, 97]]
