"""What a tuned encoder has read, when, and how a step learns through it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from small_bert import SMALL_BERT

from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.text_table import Refresh, TextTable

TEXTS = [
    "compact running shoes", "", "dice set", "a jacket", "red dice", "shoes",
]
DRAW = tf.constant([3, 4])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("encoder")
    (path / "bert.json").write_text(json.dumps(SMALL_BERT))
    return path


@pytest.fixture
def encoder(folder: Path) -> TextEncoder:
    return load_encoder(
        str(folder / "bert.json"), max_tokens=12, corpus=TEXTS,
        folder=folder / "made",
    )


@pytest.fixture
def table(encoder: TextEncoder) -> TextTable:
    """Two texts a step, and weights that have moved since it was read."""
    table = TextTable(encoder.token_table(TEXTS), encoder, per_step=2)
    table.refresh()
    table.before = table.at(tf.range(6)).numpy()
    draws = np.random.default_rng(0)
    for weight in encoder.bert.trainable_variables:
        weight.assign_add(draws.normal(0, 0.1, weight.shape))
    return table


def one_by_one(encoder: TextEncoder) -> np.ndarray:
    """[texts, dim] vectors, each text read alone and without padding."""
    return np.concatenate([
        encoder.pool(tf.constant(encoder.token_table([text])))
        if text
        else np.zeros((1, encoder.dim), np.float32)
        for text in TEXTS
    ])


def test_a_refresh_reads_every_text(table, encoder):
    np.testing.assert_array_equal(table.at(tf.range(6)), table.before)
    table.refresh()
    np.testing.assert_allclose(
        table.at(tf.range(6)), one_by_one(encoder), atol=1e-5
    )


def test_a_refresh_tells_how_far_texts_had_moved(table, encoder):
    after = one_by_one(encoder)
    cosines = [
        np.dot(one, two) / np.linalg.norm(one) / np.linalg.norm(two)
        for one, two in zip(table.before, after, strict=True)
        if one.any()  # the empty text is nowhere
    ]
    assert table.refresh() == pytest.approx(1 - np.mean(cosines), rel=1e-3)
    assert table.refresh() == pytest.approx(0, abs=1e-5)


def test_a_step_reads_few_of_the_batchs_texts_anew(table, encoder):
    present = tf.constant([5, 0, 0, 1, 5, 3])
    seen = set()
    for seed in range(20):
        found = table.in_training(
            tf.range(6), present, tf.constant([0, seed])
        ).numpy()
        is_old = np.isclose(found, table.before, atol=1e-6).all(axis=1)
        is_new = np.isclose(found, one_by_one(encoder), atol=1e-5).all(axis=1)
        assert (is_old | is_new).all()
        read = set(np.flatnonzero(~is_old))
        assert len(read) in (1, 2)  # the empty one stays what it is
        seen |= read
    assert seen == {0, 3, 5}


def test_rows_may_repeat_and_be_in_any_order(table):
    everything = table.in_training(tf.range(6), tf.constant([0, 4]), DRAW)
    rows = tf.constant([4, 2, 4, 0, 1])
    found = table.in_training(rows, tf.constant([0, 4]), DRAW)
    np.testing.assert_allclose(
        found, tf.gather(everything, rows), atol=1e-6
    )


def test_the_encoder_learns_through_what_is_read_anew(table, encoder):
    pull = tf.random.stateless_normal([6, encoder.dim], [1, 2])
    weight = encoder.bert.trainable_variables[0]
    with tf.GradientTape() as tape:
        vectors = table.in_training(tf.range(6), tf.constant([2, 4]), DRAW)
        total = tf.reduce_sum(vectors * pull)
    found = tf.convert_to_tensor(tape.gradient(total, weight))
    with tf.GradientTape() as tape:
        vectors = encoder.pool(
            tf.constant(encoder.token_table([TEXTS[2], TEXTS[4]]))
        )
        total = tf.reduce_sum(vectors * tf.gather(pull, [2, 4]))
    wanted = tf.convert_to_tensor(tape.gradient(total, weight))
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize(("recompute", "times"), [(False, 1), (True, 2)])
def test_layers_are_computed_again_where_that_is_asked(
    encoder, recompute, times
):
    table = TextTable(
        encoder.token_table(TEXTS), encoder, per_step=2, recompute=recompute
    )

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            vectors = table.in_training(tf.range(6), tf.constant([2, 4]), DRAW)
            total = tf.reduce_sum(vectors**4)
        return tape.gradient(total, encoder.bert.trainable_variables[-3])

    graph = step.get_concrete_function().graph
    kinds = [op.type for op in graph.get_operations()]
    assert kinds.count("Softmax") == times * SMALL_BERT["num_hidden_layers"]


def test_vectors_of_a_frozen_encoder_stand(rng):
    vectors = rng.normal(size=(4, 3)).astype(np.float32)
    table = TextTable(vectors, None, per_step=2)
    assert table.refresh() == 0.0
    found = table.in_training(tf.range(4), tf.constant([1, 2]), DRAW)
    np.testing.assert_array_equal(found, vectors)


@pytest.mark.parametrize(
    ("every", "wanted"), [(3, [3, 6, 7]), (0, [7]), (7, [7]), (9, [7])]
)
def test_texts_are_read_after_so_many_steps_and_after_the_epoch(
    every, wanted
):
    moved = iter(np.linspace(0.1, 0.9, 9))
    read: list[int] = []
    refresh = Refresh(lambda: read.append(step) or next(moved), every)
    for step in range(1, 8):
        refresh.after(step, steps=7)
    assert read == wanted
    assert refresh.moved == pytest.approx(0.1 * len(wanted))
