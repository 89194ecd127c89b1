"""Running means of items against a loop, one event at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from trainer.behaviour import NUM_GAPS
from trainer.config import ModelConfig
from trainer.interests import Interests

DIM, UNITS = 4, 6


ALL = "last,short,long"


def build(rng: np.random.Generator, names: str = ALL) -> Interests:
    layer = Interests(ModelConfig(embedding_dim=DIM, interests=names))
    layer(tf.zeros([1, UNITS]), tf.zeros([1, len(layer.parts), DIM]))
    layer.set_weights(
        [rng.normal(size=w.shape).astype(np.float32) for w in layer.weights]
    )
    return layer


def normal(rng: np.random.Generator, *shape: int) -> tf.Tensor:
    return tf.constant(rng.normal(size=shape), tf.float32)


def slow_means(
    layer: Interests, items: np.ndarray, gap: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """[L + 1, P, D] of one user, by the recursion."""
    found, columns = [start], {"short": 0, "long": 1}
    for item, bucket in zip(items, gap, strict=True):
        now = []
        for number, part in enumerate(layer.parts):
            keep = 0.0
            if part != "last":
                logit = layer.keep_logits.numpy()[bucket, columns[part]]
                keep = 1 / (1 + math.exp(-logit))
            now.append(keep * found[-1][number] + (1 - keep) * item)
        found.append(np.stack(now))
    return np.stack(found)


def test_the_means_are_those_of_the_recursion(rng) -> None:
    layer = build(rng)
    items, start = normal(rng, 2, 5, DIM), normal(rng, 2, 3, DIM)
    gap = rng.integers(0, NUM_GAPS, (2, 5))
    found = layer.read(items, tf.constant(gap), start)
    for user in range(2):
        expected = slow_means(
            layer, items[user].numpy(), gap[user], start[user].numpy()
        )
        np.testing.assert_allclose(found[user], expected, rtol=1e-4, atol=1e-5)


def test_events_one_at_a_time_give_the_same_means(rng) -> None:
    layer = build(rng)
    items, start = normal(rng, 1, 4, DIM), normal(rng, 1, 3, DIM)
    gap = tf.constant([[0, 3, 33, 7]])
    whole = layer.read(items, gap, start)
    state = start
    for event in range(4):
        at = slice(event, event + 1)
        state = layer.read(items[:, at], gap[:, at], state)[:, -1]
        np.testing.assert_allclose(
            state, whole[:, event + 1], rtol=1e-4, atol=1e-5
        )


def test_a_long_history_that_forgets_at_once_is_finite(rng) -> None:
    layer = build(rng)
    layer.keep_logits.assign(tf.fill([NUM_GAPS, 2], -60.0))
    items = normal(rng, 1, 500, DIM)
    gap = tf.zeros([1, 500], tf.int32)
    found = layer.read(items, gap, normal(rng, 1, 3, DIM))
    for part in range(3):  # each mean is the last item alone
        np.testing.assert_allclose(found[0, 1:, part], items[0], atol=1e-5)


def test_the_short_mean_forgets_faster_before_training() -> None:
    layer = Interests(ModelConfig(embedding_dim=DIM))
    start = layer.start(tf.ones([1, DIM]))
    nothing = tf.zeros([1, 3, DIM])
    gap = tf.zeros([1, 3], tf.int32)
    last, short, long = layer.read(nothing, gap, start)[0, -1, :, 0].numpy()
    assert last == 0.0
    assert short == pytest.approx(0.5**3)
    assert long == pytest.approx(0.9**3)


def test_a_query_adds_gated_directions(rng) -> None:
    layer = build(rng)
    hidden, parts = normal(rng, 2, UNITS), normal(rng, 2, 3, DIM).numpy()
    kernel, bias = layer.gate.get_weights()
    gates = 2 / (1 + np.exp(-(hidden.numpy() @ kernel + bias)))
    directions = parts / np.linalg.norm(parts, axis=-1, keepdims=True)
    scaled = gates[:, :, None] * layer.scale.numpy() * directions
    found = layer(hidden, tf.constant(parts))
    np.testing.assert_allclose(found, scaled.sum(axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("names", ["", "last", "long", "short,last"])
def test_parts_that_are_switched_off_are_not_there(rng, names: str) -> None:
    layer = build(rng, names)
    number = len(layer.parts)
    items, start = normal(rng, 2, 3, DIM), normal(rng, 2, number, DIM)
    found = layer.read(items, tf.zeros([2, 3], tf.int32), start)
    assert found.shape == (2, 4, number, DIM)
    if "last" in layer.parts:
        last = found[:, 1:, layer.parts.index("last")]
        np.testing.assert_array_equal(last, items)
    added = layer(normal(rng, 2, UNITS), found[:, -1])
    assert added.shape == (2, DIM)
    assert bool(tf.reduce_any(added != 0)) == (number > 0)
