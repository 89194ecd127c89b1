"""The layers of the item tower against sums worked out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from small_layers import DIM, NONE, TEXT, config, normal, scramble, unit

from trainer.item_tower import ItemTower


def content(tower: ItemTower, text, categories, brands) -> np.ndarray:
    return tower.content(
        tf.constant(text), tf.constant(categories), tf.constant(brands)
    ).numpy()


@pytest.fixture
def item_tower(rng) -> ItemTower:
    tower = ItemTower(
        config(), num_items=3, num_categories=4, num_brands=2, text_dim=TEXT
    )
    first = content(tower, normal(rng, 1, TEXT), [[0, 1]], [0])
    tower(first, tf.constant([0]), tf.constant([True]))
    scramble(tower, rng)
    return tower


def test_content_is_text_plus_the_mean_of_levels_plus_brand(rng, item_tower):
    text = normal(rng, 3, TEXT)
    categories = [[3, 0, NONE], [2, NONE, NONE], [NONE, NONE, NONE]]
    found = content(item_tower, text, categories, [1, NONE, 0])
    kernel, bias = item_tower.text.get_weights()
    # Row 0 of a table is "none": the code c has the row c + 1.
    (level,), (brand,) = (
        table.get_weights() for table in (item_tower.category, item_tower.brand)
    )
    read = text @ kernel + bias
    np.testing.assert_allclose(
        found,
        [
            read[0] + (level[4] + level[1]) / 2 + brand[2],
            read[1] + level[3],
            read[2] + brand[1],
        ],
        rtol=1e-5,
    )


@pytest.mark.parametrize("part", ["text", "categories", "brand"])
def test_an_item_part_that_is_switched_off_says_nothing(rng, part):
    parts = [p for p in ("text", "categories", "brand") if p != part]
    tower = ItemTower(
        config(item_parts=",".join(parts)),
        num_items=1, num_categories=2, num_brands=1, text_dim=TEXT,
    )
    known = {"text": normal(rng, 1, TEXT), "categories": [[1]], "brand": [0]}
    nothing = {
        "text": np.zeros((1, TEXT), np.float32),
        "categories": [[NONE]],
        "brand": [NONE],
    }
    content(tower, *known.values())
    scramble(tower, rng)
    found = content(tower, *known.values())
    without = content(tower, *{**known, part: nothing[part]}.values())
    np.testing.assert_array_equal(found, without)
    others = content(tower, *{**nothing, part: known[part]}.values())
    assert np.abs(found - others).max() > 0.1


def test_without_text_a_profile_imagines_nothing(rng):
    tower = ItemTower(
        config(item_parts="id"), num_items=1, num_categories=0, num_brands=0,
        text_dim=TEXT,
    )
    found = tower.imagined(normal(rng, 1, TEXT))
    np.testing.assert_array_equal(found, np.zeros((1, DIM)))


def test_a_text_imagines_the_item_that_it_alone_would_be(rng, item_tower):
    tower = item_tower
    texts = normal(rng, 2, TEXT)
    texts[1] = 0.0
    none = np.full(2, -1, np.int32)
    content = tower.content(texts, none[:, None], none).numpy()
    expected = content / np.linalg.norm(content, axis=1, keepdims=True)
    expected[1] = 0.0  # no text, no item
    found = tower.imagined(texts).numpy()
    np.testing.assert_allclose(found[:, :DIM], expected, atol=1e-6)
    part = tower.text_part
    read = unit((texts - part.mean.numpy()) @ part.axes.numpy())
    read[1] = 0.0
    np.testing.assert_allclose(found[:, DIM:], read, atol=1e-5)


def test_an_item_known_by_content_alone_has_no_id_residual(rng):
    tower = ItemTower(
        config(item_parts="text"), num_items=2, num_categories=0, num_brands=0,
        text_dim=TEXT,
    )
    known = normal(rng, 1, DIM)
    args = tf.constant(known), tf.constant([1]), tf.constant([True])
    tower(*args)
    scramble(tower, rng)
    np.testing.assert_allclose(tower(*args), unit(known), rtol=1e-5)


def test_the_id_residual_is_added_where_an_item_has_events(rng, item_tower):
    known = normal(rng, 2, DIM)
    found = item_tower(
        tf.constant(known), tf.constant([2, 1]), tf.constant([True, False])
    )
    residual = item_tower.id_residual.get_weights()[0]
    expected = unit(np.stack([known[0] + residual[2], known[1]]))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_id_dropout_hides_its_share_of_ids(rng):
    items = 2000
    tower = ItemTower(
        config(id_dropout=0.3), num_items=items, num_categories=0, num_brands=0,
        text_dim=TEXT,
    )
    known = tf.ones([items, DIM])
    args = (known, tf.range(items), tf.fill([items], True))
    tower(*args)
    tower.id_residual.set_weights([normal(rng, items, DIM)])
    hidden = np.abs(tower(*args, training=True) - 0.5).max(axis=1) < 1e-6
    # Standard error .01.
    assert hidden.mean() == pytest.approx(0.3, abs=0.04)
