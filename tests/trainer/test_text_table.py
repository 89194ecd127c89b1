"""What a tuned encoder has read, when, and how a step learns through it."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from small_bert import SMALL_BERT

from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder
from trainer.text_table import TextTable, drawn_by_size

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


@pytest.fixture
def learning(encoder: TextEncoder) -> TextEncoder:
    """All of its weights are tuned."""
    encoder.tuning = SimpleNamespace(
        weights=dict(enumerate(encoder.bert.trainable_variables))
    )
    return encoder


def by_weights(table: TextTable, rows: list[int], pull: tf.Tensor, seed: int):
    """Gradients of the sum of rows' vectors times `pull`, one vector."""
    weights = table._encoder.tuned_weights
    with tf.GradientTape() as tape:
        vectors = table.in_training(tf.constant(rows), tf.constant([7, seed]))
        total = tf.reduce_sum(vectors * pull)
    return np.concatenate([
        np.ravel(tf.convert_to_tensor(gradient))
        for gradient in tape.gradient(total, weights)
    ])


def by_weights_of_all(encoder: TextEncoder, rows: list[int], pull: tf.Tensor):
    """The same where every row's text is read."""
    with tf.GradientTape() as tape:
        vectors = tf.concat(
            [
                encoder.pool(tf.constant(encoder.token_table([TEXTS[row]])))
                for row in rows
            ],
            axis=0,
        )
        total = tf.reduce_sum(vectors * pull)
    gradients = tape.gradient(
        total, encoder.tuned_weights, unconnected_gradients="zero"
    )
    return np.concatenate(
        [np.ravel(tf.convert_to_tensor(each)) for each in gradients]
    )


def test_vectors_stand_in_training_as_they_were_last_read(table, learning):
    found = table.in_training(tf.constant([4, 2, 4, 1]), DRAW)
    np.testing.assert_array_equal(found, table.before[[4, 2, 4, 1]])


def test_the_encoder_learns_in_the_mean_as_if_all_texts_were_read(
    table, learning
):
    rows = [4, 2, 4, 0, 3, 1]  # one twice, and an empty text
    pull = tf.random.stateless_normal([6, learning.dim], [1, 2])
    pull *= tf.constant([3.0, 1.0, -1.0, 0.2, 0.5, 4.0])[:, None]
    wanted = by_weights_of_all(learning, rows, pull)
    draws = np.stack([by_weights(table, rows, pull, n) for n in range(400)])
    # Of the mean of so many, along the true gradient and in all.
    along = draws @ wanted / (wanted @ wanted)
    error = along.std() / np.sqrt(len(draws))
    assert error < 0.05
    assert along.mean() == pytest.approx(1, abs=4 * error)
    apart = np.linalg.norm(draws.mean(axis=0) - wanted)
    assert apart < 0.25 * np.linalg.norm(draws[0] - wanted)


def test_two_texts_that_the_loss_is_moved_by_alone_are_read_exactly(
    table, learning
):
    pull = tf.random.stateless_normal([1, learning.dim], [1, 2])
    pull = tf.constant([[0.0], [1.0], [0.0], [-1.0]]) * pull
    rows = [0, 2, 3, 4]
    np.testing.assert_allclose(
        by_weights(table, rows, pull, 3),
        by_weights_of_all(learning, rows, pull),
        atol=1e-5,
    )


def test_an_empty_text_takes_the_place_of_none(table, learning):
    pull = tf.random.stateless_normal([2, learning.dim], [1, 2])
    pull *= tf.constant([[1.0], [100.0]])
    np.testing.assert_allclose(
        by_weights(table, [0, 1], pull, 3),
        by_weights_of_all(learning, [0], pull[:1]),
        atol=1e-5,
    )


def test_no_more_texts_are_read_than_asked_for(table, learning, monkeypatch):
    read = []
    pool = learning.pool
    monkeypatch.setattr(
        learning, "pool",
        lambda tokens: read.append(len(tokens)) or pool(tokens),
    )
    pull = tf.random.stateless_normal([6, learning.dim], [1, 2])
    for seed in range(12):
        by_weights(table, [0, 1, 2, 3, 4, 5], pull, seed)
    assert set(read) <= {1, 2}
    assert 2 in read


def test_nothing_is_learnt_where_no_vector_matters(table, learning):
    pull = tf.zeros([2, learning.dim])
    assert not by_weights(table, [0, 1], pull, 3).any()


@pytest.mark.parametrize("count", [1, 5, 40])
def test_terms_are_drawn_so_that_their_sum_is_kept_in_the_mean(count):
    terms = np.array([0.0, 3.0, -0.5, 0.0, 8.0, 1.0, -2.0], np.float32)
    sums = []
    for seed in range(3000):
        drawn, scale = drawn_by_size(
            tf.abs(terms), count, tf.constant([seed, 1])
        )
        assert len(set(drawn.numpy())) == len(drawn) <= count
        assert terms[drawn].all()  # what is nothing is not drawn
        sums.append((terms[drawn] * scale.numpy()).sum())
    error = np.std(sums) / np.sqrt(len(sums))
    assert np.mean(sums) == pytest.approx(terms.sum(), abs=4 * error + 1e-4)


@pytest.mark.parametrize(("recompute", "times"), [(False, 1), (True, 2)])
def test_layers_are_computed_again_where_that_is_asked(
    learning, recompute, times
):
    table = TextTable(
        learning.token_table(TEXTS), learning, per_step=2, recompute=recompute
    )

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            vectors = table.in_training(tf.range(6), DRAW)
            total = tf.reduce_sum(vectors**4)
        return tape.gradient(total, learning.tuned_weights[-3])

    graph = step.get_concrete_function().graph
    kinds = [op.type for op in graph.get_operations()]
    assert kinds.count("Softmax") == times * SMALL_BERT["num_hidden_layers"]


def test_a_step_that_was_traced_does_not_keep_its_table(learning):
    def traced():
        table = TextTable(learning.token_table(TEXTS), learning, per_step=2)

        def step():
            with tf.GradientTape() as tape:
                total = tf.reduce_sum(table.in_training(tf.range(6), DRAW))
            return tape.gradient(total, learning.tuned_weights[0])

        tf.function(step, autograph=False).get_concrete_function()
        return weakref.ref(table)

    kept = traced()
    gc.collect()
    assert kept() is None


def test_vectors_of_a_frozen_encoder_stand(rng):
    vectors = rng.normal(size=(4, 3)).astype(np.float32)
    table = TextTable(vectors, None, per_step=2)
    assert table.refresh() == 0.0
    found = table.in_training(tf.range(4), DRAW)
    np.testing.assert_array_equal(found, vectors)


def test_a_look_tells_about_how_far_texts_have_moved(table):
    looked = table.moved()
    assert looked == pytest.approx(table.refresh(), rel=1e-4)
    assert looked > 1e-3
    assert table.moved() == pytest.approx(0, abs=1e-5)


def test_a_look_reads_a_batch_of_texts(encoder, monkeypatch):
    table = TextTable(
        encoder.token_table(TEXTS * 50), encoder, per_step=2
    )
    read = []
    monkeypatch.setattr(
        encoder, "pool_table",
        lambda tokens: read.append(len(tokens))
        or np.zeros([len(tokens), encoder.dim], np.float32),
    )
    table.moved()
    assert read == [64]
