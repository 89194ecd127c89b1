"""The items that a step scores."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.candidates import candidates
from trainer.config import TrainingConfig

# Of nine items that have train events.
SHARE = tf.constant(np.array([9, 5, 4, 3, 3, 2, 1, 1, 1]) / 29, tf.float32)


def batch_of(rng: np.random.Generator) -> dict[str, tf.Tensor]:
    length = np.array([3, 5, 1, 2, 4, 5], np.int32)
    items = rng.integers(0, 9, (6, 5)) * (np.arange(5) < length[:, None])
    return {
        "item": tf.constant(items, tf.int32), "length": tf.constant(length)
    }


def drawn(batch: dict[str, tf.Tensor], **training: int) -> tuple:
    draw = tf.constant([0, 3])
    return candidates(batch, TrainingConfig(**training), SHARE, draw=draw)


def test_sampled_candidates_are_distinct_and_hold_every_event(
    rng: np.random.Generator,
) -> None:
    batch = batch_of(rng)
    codes, columns, log_inclusion = drawn(
        batch, full_softmax_items=0, num_negatives=5
    )
    codes = codes.numpy()
    assert len(set(codes)) == len(codes) == len(log_inclusion)
    is_event = np.arange(5) < batch["length"].numpy()[:, None]
    np.testing.assert_array_equal(
        codes[columns.numpy()][is_event], batch["item"].numpy()[is_event]
    )


@pytest.mark.parametrize("full_softmax_items", [50_000, 0])
def test_every_item_with_train_events_can_be_a_negative(
    rng: np.random.Generator, full_softmax_items: int
) -> None:
    codes, _, _ = drawn(
        batch_of(rng), full_softmax_items=full_softmax_items,
        num_negatives=500,
    )
    assert sorted(codes.numpy()) == list(range(9))
