"""The map between widths, and the loss against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import transformers

from trainer.pretraining.config import PretrainingConfig
from trainer.pretraining.imitation import (
    ImitationStage,
    unit_rows,
    width_map,
)
from trainer.pretraining.token_batches import TokenTable

PIECES, STUDENT = 40, 6


def unit(rows: int, width: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    return unit_rows(vectors)


def test_a_wider_student_keeps_all_inner_products():
    vectors = unit(9, 4, seed=1)
    moved = vectors @ width_map(vectors, 7)
    assert moved.shape == (9, 7)
    np.testing.assert_allclose(moved @ moved.T, vectors @ vectors.T, atol=1e-6)


def test_a_narrower_student_loses_what_the_singular_values_say():
    vectors = unit(30, 8, seed=2)
    moved = (vectors @ width_map(vectors, 3)).astype(float)
    values = np.linalg.svd(vectors.astype(float), compute_uv=False)
    lost = np.linalg.norm(moved @ moved.T - vectors @ vectors.T)
    assert lost == pytest.approx(np.sqrt((values[3:] ** 4).sum()), rel=1e-4)


def test_the_last_digits_of_the_vectors_do_not_turn_the_map(monkeypatch):
    vectors = unit(30, 8, seed=7)
    plain, eigh = width_map(vectors, 5), np.linalg.eigh

    def turned(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, axes = eigh(matrix)
        return values, axes * [1, -1, -1, 1, -1, 1, -1, 1]

    monkeypatch.setattr(np.linalg, "eigh", turned)
    np.testing.assert_allclose(width_map(vectors, 5), plain, atol=1e-6)


def test_no_component_of_the_wanted_vectors_stands_out():
    # All vectors near one line: unturned, one component would hold it all.
    vectors = unit_rows(1 + 0.05 * unit(50, 32, seed=3))
    sizes = np.abs(vectors @ width_map(vectors, 32)).mean(axis=0)
    assert sizes.max() < 0.7


def test_a_row_of_zeros_stays():
    found = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)


@pytest.fixture(scope="module")
def model() -> transformers.TFBertForMaskedLM:
    tf.keras.utils.set_random_seed(4)
    made = transformers.TFBertForMaskedLM(
        transformers.BertConfig(
            vocab_size=PIECES, hidden_size=STUDENT, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=8,
            max_position_embeddings=16, initializer_range=0.5,
        )
    )
    made.build_in_name_scope()
    return made


def stage_of(model: transformers.TFBertForMaskedLM) -> ImitationStage:
    """Five texts, not in the order of their lengths."""
    lengths = np.array([7, 3, 9, 2, 5])
    ids = np.random.default_rng(5).integers(1, PIECES, (5, 16), np.int32)
    ids[np.arange(16) >= lengths[:, None]] = 0
    table = TokenTable(ids, np.full((5, 16), -1, np.int32), lengths)
    config = PretrainingConfig(
        distill_from="minilm", distill_epochs=2, batch_tokens=16
    )
    return ImitationStage(model, table, unit(5, STUDENT, seed=6), config)


def test_the_loss_is_one_minus_the_mean_cosine(model):
    stage = stage_of(model)
    rows = np.array([4, 0, 2])
    ids, wanted = stage._table.rows(rows).ids, stage._wanted[rows]
    cosines = []
    for text, goal in zip(ids, wanted.astype(float), strict=True):
        alone = text[text != 0]  # no padding
        states = model(alone[None], output_hidden_states=True)
        mean = states.hidden_states[-1][0].numpy().astype(float).mean(axis=0)
        cosines.append(mean @ goal / np.linalg.norm(mean))
    found = stage.loss(tf.constant(ids), tf.constant(wanted))
    assert float(found) == pytest.approx(1 - np.mean(cosines), abs=1e-5)


def test_what_is_wanted_has_no_noise(model):
    stage = stage_of(model)
    batch = list(map(tf.constant, next(stage.batches(0))))
    assert float(stage.loss(*batch)) == float(stage.loss(*batch))


def test_each_text_comes_once_with_its_own_vector(model):
    stage = stage_of(model)
    seen = {}
    batches = list(stage.batches(1))
    assert len(batches) == stage.steps(1) > 1
    for ids, wanted in batches:
        for text, goal in zip(ids, wanted, strict=True):
            seen[tuple(text[text != 0])] = goal
    assert len(seen) == 5
    for text, goal in zip(stage._table.ids, stage._wanted, strict=True):
        np.testing.assert_array_equal(seen[tuple(text[text != 0])], goal)
