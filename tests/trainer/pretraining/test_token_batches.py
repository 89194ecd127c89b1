"""Texts of like length share a batch; batches cost about the same."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.pretraining.token_batches import (
    TokenTable,
    batches_by_tokens,
    padded,
)

LENGTHS = np.array([3, 30, 8, 9, 100, 4, 12, 16, 7, 64])


def batches(seed: int, budget: int = 64):
    return batches_by_tokens(LENGTHS, budget, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_each_text_occurs_once(seed):
    rows = np.concatenate(batches(seed))
    assert sorted(rows) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("seed", range(5))
def test_no_batch_of_several_texts_is_over_the_budget(seed):
    for rows in batches(seed):
        cost = len(rows) * -(-LENGTHS[rows].max() // 8) * 8
        assert cost <= 64 or len(rows) == 1


def test_lengths_alone_tell_how_many_batches_there_are():
    # By hand: [3 4 7 8] and [9] cost 8*4 and would 16*5; then 9 12 16 | 30 |
    # 64 | 100, as 30 would make 32*4 of the second one.
    found = batches(0)
    sizes = sorted(sorted(LENGTHS[rows].tolist()) for rows in found)
    assert sizes == [[3, 4, 7, 8], [9, 12, 16], [30], [64], [100]]
    assert {len(batches(seed)) for seed in range(9)} == {5}


def test_epochs_differ_and_seeds_repeat():
    flat = [np.concatenate(batches(seed)).tolist() for seed in (1, 1, 2)]
    assert flat[0] == flat[1] != flat[2]


def test_rows_are_as_wide_as_they_need():
    ids = np.arange(48, dtype=np.int32).reshape(2, 24)
    table = TokenTable(ids, ids, np.array([9, 24]))
    assert table.rows(np.array([0])).ids.shape == (1, 16)
    assert table.rows(np.array([0, 1])).ids.shape == (2, 24)


@pytest.mark.parametrize("length, width", [(1, 8), (8, 8), (9, 16)])
def test_widths_are_multiples_of_eight(length, width):
    assert padded(length) == width
