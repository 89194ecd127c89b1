"""The expectation against draws, and against sums written out."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.text_quality.negatives import expect_false_negatives


def test_two_choices_between_two_twins_and_a_stranger():
    found = expect_false_negatives(np.array([1, 1, 2]), [(0, 1)], 2)
    # p = 1/4, 1/4, 1/2. The other choice is the twin of the first with
    # probability 2 * 1/4 * 1/4, another item with 1 - (1/16 + 1/16 + 1/4).
    assert found.in_batch == pytest.approx(1 / 8)
    assert found.in_batch_share == pytest.approx((1 / 8) / (5 / 8))
    assert found.choices_hit == pytest.approx(1 / 8)
    # Half of the choices are twins, with 1 of 2 negatives each.
    assert found.full_softmax == pytest.approx(1 / 2)
    assert found.full_softmax_share == pytest.approx(1 / 4)


def test_draws_agree(rng):
    counts = np.array([5, 1, 3, 0, 2, 9, 4, 4])
    groups = [(0, 2, 3), (4, 7)]
    batch = 6
    found = expect_false_negatives(counts, groups, batch)
    twins = {row: set(g) - {row} for g in groups for row in g}
    drawn = rng.choice(8, (40_000, batch), p=counts / counts.sum())
    false, others = [], []
    for chosen, *rest in drawn.tolist():
        negatives = set(rest) - {chosen}
        false.append(len(negatives & twins.get(chosen, set())))
        others.append(len(negatives))
    assert np.mean(false) == pytest.approx(found.in_batch, rel=0.03)
    share = np.sum(false) / np.sum(others)
    assert share == pytest.approx(found.in_batch_share, rel=0.03)
    hit = np.mean(np.array(false) > 0)
    assert hit == pytest.approx(found.choices_hit, rel=0.03)


def test_items_without_events_are_no_negatives():
    counts = np.array([3, 0, 1, 0])
    found = expect_false_negatives(counts, [(0, 1), (2, 3)], 10)
    assert found.in_batch == found.full_softmax == found.choices_hit == 0


def test_without_events_all_items_count_alike():
    alike = expect_false_negatives(np.full(6, 7), [(1, 2, 3)], 4)
    assert expect_false_negatives(np.zeros(6), [(1, 2, 3)], 4) == alike
    # A choice is in the group half of the time, with 2 of 5 negatives.
    assert alike.full_softmax == pytest.approx(1.0)
    assert alike.full_softmax_share == pytest.approx(1 / 5)


def test_without_groups_or_items_nothing_is_false():
    none = expect_false_negatives(np.array([4, 2]), [], 10)
    assert (none.in_batch, none.choices_hit, none.full_softmax) == (0, 0, 0)
    assert expect_false_negatives(np.zeros(0), [], 10).in_batch_share == 0
    single = expect_false_negatives(np.array([4]), [], 10)
    assert single.in_batch_share == single.full_softmax_share == 0
