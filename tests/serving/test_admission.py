"""Rules against loops over Python sets."""

from __future__ import annotations

import dataclasses

import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import admission
from serving.admission import Admission, Shelf

ITEMS = 9
rows = st.lists(st.integers(-1, ITEMS - 1), max_size=6)
times = st.sampled_from([0, 10, 20, 30])


def test_a_mask_marks_repeats_once_and_ignores_minus_one():
    excluded = tf.constant([[2, 2, -1], [-1, -1, -1]])
    assert admission.excluded_mask(excluded, 3).numpy().tolist() == [
        [False, False, True],
        [False, False, False],
    ]


def test_a_mask_of_no_columns_excludes_nothing():
    mask = admission.excluded_mask(tf.zeros([2, 0], tf.int32), 3)
    assert not mask.numpy().any() and mask.shape == (2, 3)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(-1, 9), min_size=0, max_size=12),
    st.lists(st.integers(-1, 9), min_size=1, max_size=8),
)
def test_membership_is_that_of_sets(excluded, rows):
    marked = admission.is_excluded(
        tf.constant([rows], tf.int32),
        tf.constant([excluded], tf.int32, shape=[1, len(excluded)]),
    )
    wanted = [row >= 0 and row in set(excluded) for row in rows]
    assert marked.numpy().tolist() == [wanted]


def test_membership_is_checked_row_by_row():
    rows = tf.constant([[1, 2], [1, 2]])
    excluded = tf.constant([[2, 7, -1], [1, -1, -1]])
    assert admission.is_excluded(rows, excluded).numpy().tolist() == [
        [False, True],
        [True, False],
    ]


def test_an_item_is_open_at_its_very_second():
    shelf = Shelf(
        tf.Variable([[1.0]] * 3), None, tf.Variable([0, 10, 20], dtype=tf.int64)
    )
    at_ten = dataclasses.replace(
        Admission.excluding(tf.zeros([1, 0], tf.int32)),
        now=tf.constant([10], tf.int64),
    )
    assert at_ten.bars_all(shelf).numpy().tolist() == [[False, False, True]]


@settings(max_examples=60, deadline=None)
@given(
    rows, rows, st.booleans(), times, times,
    st.lists(times, min_size=ITEMS, max_size=ITEMS),
)
def test_rules_combine_by_and(
    excluded, allowed, is_limited, now, earliest, opened
):
    rules = Admission(
        excluded=tf.constant([excluded], tf.int32, shape=[1, len(excluded)]),
        allowed=tf.constant([allowed], tf.int32, shape=[1, len(allowed)]),
        is_limited=tf.constant([is_limited]),
        now=tf.constant([now], tf.int64),
        min_available_from=tf.constant([earliest], tf.int64),
        max_per_category=tf.constant([0]),
    )
    vectors = tf.Variable([[1.0]] * ITEMS)
    shelf = Shelf(vectors, None, tf.Variable(opened, dtype=tf.int64))
    wanted = [
        row in excluded
        or (is_limited and row not in allowed)
        or (now > 0 and opened[row] > now)
        or opened[row] < earliest
        for row in range(ITEMS)
    ]
    assert rules.bars_all(shelf).numpy().tolist() == [wanted]
    some = [4, 0, 8, 4]
    barred = rules.bars(tf.constant([some]), shelf).numpy()
    assert barred.tolist() == [[wanted[row] for row in some]]
