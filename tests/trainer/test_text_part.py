"""The text part of vectors against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.text_part import TextPart

LEARNT, TEXT, DIM = 3, 6, 4


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def build(dim: int = DIM, **changes: float) -> TextPart:
    settings = {"new_item_scale": 1.2, **changes}
    return TextPart(LEARNT, TEXT, dim, **settings)


@pytest.fixture
def texts(rng: np.random.Generator) -> np.ndarray:
    """Some directions vary more than others, and the mean is not 0."""
    spread = np.array([5.0, 3.0, 2.0, 1.0, 0.5, 0.1])
    turned, _ = np.linalg.qr(rng.normal(size=(TEXT, TEXT)))
    found = rng.normal(size=(200, TEXT)) * spread @ turned + 2
    return found.astype("float32")


def test_texts_are_read_along_half_whitened_principal_axes(texts):
    part = build()
    nothing = np.zeros((7, TEXT), np.float32)
    part.learn_axes(np.concatenate([nothing, texts]))
    read = part.read(texts).numpy()
    # By singular values; half whitening divides by the root of a deviation.
    apart = texts.astype(np.float64) - texts.mean(axis=0, dtype=np.float64)
    scores, deviations, _ = np.linalg.svd(apart, full_matrices=False)
    expected = unit(scores[:, :DIM] * deviations[:DIM] ** 0.5)
    # Axes may point either way: products tell.
    np.testing.assert_allclose(read @ read.T, expected @ expected.T, atol=1e-4)
    assert not part.read(nothing).numpy().any()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_texts_span_few_axes(texts, number):
    part = build()
    part.learn_axes(texts[:number])
    read = part.read(texts).numpy()
    assert np.isfinite(read).all()
    axes = part.axes.numpy()
    assert np.any(axes != 0, axis=0).sum() == max(0, number - 1)


def test_a_product_is_the_weighted_sum_of_both_cosines(rng):
    part = build()
    part.share_logit.assign(np.log(0.2 / 0.8))
    learnt = unit(rng.normal(size=(2, 5, LEARNT))).astype("float32")
    texts = rng.normal(size=(2, 5, DIM)).astype("float32")
    queries, items = (
        part.join(*each).numpy() for each in zip(learnt, texts, strict=True)
    )
    cosines = learnt[0] @ learnt[1].T, unit(texts[0]) @ unit(texts[1]).T
    np.testing.assert_allclose(
        queries @ items.T, 0.8 * cosines[0] + 0.2 * cosines[1], atol=1e-5
    )
    for vectors in (queries, items):
        lengths = np.linalg.norm(vectors, axis=1)
        np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_where_there_is_no_text_all_is_learnt(rng):
    part = build()
    learnt = unit(rng.normal(size=(1, LEARNT))).astype("float32")
    found = part.join(learnt, tf.zeros([1, DIM])).numpy()
    np.testing.assert_allclose(found[:, :LEARNT], learnt, atol=1e-6)
    assert not found[:, LEARNT:].any()


def test_parts_come_apart_as_they_were_joined(rng):
    part = build()
    learnt = unit(rng.normal(size=(4, LEARNT))).astype("float32")
    texts = unit(rng.normal(size=(4, DIM))).astype("float32")
    texts[1] = 0.0
    trust = tf.constant([0.0, 0.5, 1.0, 0.0])
    found = part.split(part.scaled(part.join(learnt, texts), trust))
    np.testing.assert_allclose(found[0], learnt, atol=1e-5)
    np.testing.assert_allclose(found[1], texts, atol=1e-5)


def test_vectors_of_new_items_are_longer(rng):
    part = build(new_item_scale=1.5)
    vectors = rng.normal(size=(3, LEARNT + DIM)).astype("float32")
    found = part.scaled(vectors, tf.constant([0.0, 0.1, 1.0])).numpy()
    np.testing.assert_allclose(found[0], 1.5 * vectors[0], rtol=1e-5)
    np.testing.assert_array_equal(found[1:], vectors[1:])


def test_a_part_of_no_width_changes_nothing(rng, texts):
    part = build(dim=0)
    part.learn_axes(texts)
    learnt = unit(rng.normal(size=(2, LEARNT))).astype("float32")
    joined = part.join(learnt, part.read(texts[:2]))
    np.testing.assert_array_equal(joined, learnt)
    np.testing.assert_allclose(part.split(joined)[0], learnt, atol=1e-6)


def test_nothing_of_it_is_trained():
    assert build().trainable_variables == []
