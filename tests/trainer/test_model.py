"""The two towers: their loss against NumPy, and on two devices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.config import ModelConfig, RunConfig, TrainingConfig
from trainer.model import TwoTower
from trainer.model_inputs import ModelInputs
from trainer.optimizer import build_optimizer
from trainer.strategies import open_strategy
from trainer.training_step import train_step

ITEMS, TEXT, DIM = 11, 5, 4


def small_config(**training: object) -> RunConfig:
    return RunConfig(
        model=ModelConfig(
            embedding_dim=DIM, lstm_units=6, dropout=0.0, id_dropout=0.0,
            num_experts=3, temperature=0.5,
        ),
        training=TrainingConfig(**training),
    )


def small_inputs(rng: np.random.Generator, **changes: object) -> ModelInputs:
    inputs = ModelInputs(
        text=rng.normal(size=(ITEMS, TEXT)).astype(np.float32),
        category_codes=rng.integers(-1, 3, (ITEMS, 2)).astype(np.int32),
        brand_codes=rng.integers(-1, 2, ITEMS).astype(np.int32),
        counts=np.array([9, 5, 4, 3, 3, 2, 1, 1, 1, 0, 0]),
        profiles=rng.normal(size=(3, TEXT)).astype(np.float32),
        num_categories=3,
        num_brands=2,
        num_scenarios=3,
        num_event_types=4,
        has_labels=True,
    )
    return dataclasses.replace(inputs, **changes)


def small_batch(rng: np.random.Generator, users: int = 6) -> dict:
    length = np.array([3, 5, 1, 2, 4, 5], np.int32)[:users]
    shape = (users, 5)
    is_event = np.arange(5) < length[:, None]
    codes = {
        "item": rng.integers(0, 9, shape),
        "event_type": rng.integers(0, 4, shape),
        "gap": rng.integers(0, 30, shape),
        "scenario": rng.integers(0, 3, shape),
    }
    labels = rng.random(shape)
    labels[:, 1] = np.nan
    return {
        **{k: tf.constant(v * is_event, tf.int32) for k, v in codes.items()},
        "text": tf.zeros(shape, tf.int32),
        "label": tf.constant(np.where(is_event, labels, np.nan), tf.float32),
        "is_target": tf.constant(is_event),
        "length": tf.constant(length),
        "profile": tf.constant(np.arange(users) % 3, tf.int32),
        "asked_scenario": tf.constant(np.arange(users) % 3, tf.int32),
    }


def build(config: RunConfig, inputs: ModelInputs, batch: dict) -> TwoTower:
    tf.keras.utils.set_random_seed(1)
    model = TwoTower(config, inputs, encoder=None)
    model.optimizer = build_optimizer(config.training, 10)
    model.compute_loss(batch)
    return model


Rated = list[tuple[float, float]]  # score and label of a window's events


def squared_errors(windows: list[Rated]) -> float:
    return np.mean([(s - label) ** 2 for w in windows for s, label in w])


def logistic_pairs(windows: list[Rated]) -> float:
    by_window = [
        [
            np.log1p(np.exp(lower - upper))
            for upper, high in window
            for lower, low in window
            if high > low
        ]
        for window in windows
    ]
    return np.mean([np.mean(pairs) for pairs in by_window if pairs])


def list_cross_entropies(windows: list[Rated]) -> float:
    losses = []
    for window in windows:
        if len(window) > 1:
            found, wanted = np.exp(np.array(window).T)
            shares = wanted / wanted.sum()
            losses.append(-(shares * np.log(found / found.sum())).sum())
    return np.mean(losses)


@pytest.mark.parametrize(
    ("kind", "ranking_loss"),
    [
        ("pointwise", squared_errors),
        ("pairwise", logistic_pairs),
        ("listwise", list_cross_entropies),
    ],
)
def test_the_loss_is_softmax_over_train_items_plus_that_of_the_head(
    rng, kind, ranking_loss
):
    config = small_config(ranking_weight=0.5, ranking_loss=kind)
    batch = small_batch(rng)
    model = build(config, small_inputs(rng), batch)
    catalogue = model.catalogue_vectors()
    vectors = catalogue[:, :DIM].numpy()  # training knows no other part

    cross_entropies, windows = [], []
    for user in range(6):
        windows.append([])
        for at in range(int(batch["length"][user])):
            before = _prefix(batch, user, at)
            query = model.queries(before, catalogue).numpy()[0, :DIM]
            logits = vectors[:9] @ query / 0.5  # 9 items have train events
            chosen = int(batch["item"][user, at])
            cross_entropies.append(
                np.log(np.exp(logits).sum()) - logits[chosen]
            )
            label = float(batch["label"][user, at])
            if not np.isnan(label):
                score = model.ranking_head(
                    query[None], vectors[chosen][None],
                    batch["scenario"][user, at][None],
                ).numpy()[0]
                windows[-1].append((score, label))

    expected = np.mean(cross_entropies) + 0.5 * ranking_loss(windows)
    assert float(model.compute_loss(batch)) == pytest.approx(expected, rel=1e-5)


def test_a_head_of_half_precision_predicts_what_its_weights_say(rng):
    batch = small_batch(rng)
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        config = small_config(precision="mixed_bfloat16")
        model = build(config, small_inputs(rng), batch)
        catalogue = model.catalogue_vectors()
        queries = model.queries(batch, catalogue)
        vectors = tf.gather(catalogue, batch["asked_scenario"])
        found = model.predicted(queries, vectors, batch["asked_scenario"])
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    assert found.dtype == tf.float32
    query, item = queries[:, :DIM].numpy(), vectors[:, :DIM].numpy()
    head = model.ranking_head
    scenario = head.scenario.embeddings.numpy()[batch["asked_scenario"]]
    told = np.concatenate([query, item, query * item, scenario], axis=1)
    kernel, bias = (weight.numpy() for weight in head.hidden.weights)
    hidden = np.maximum(told @ kernel + bias, 0)
    kernel, bias = (weight.numpy() for weight in head.output_layer.weights)
    wanted = (hidden @ kernel + bias)[:, 0]
    assert np.abs(wanted).max() > 0.05
    np.testing.assert_allclose(found, wanted, atol=0.02)


@pytest.mark.parametrize(
    "changes", [{"ranking_training": "separate"}, {"ranking_weight": 0.0}]
)
def test_a_head_that_is_trained_apart_or_not_at_all_adds_no_loss(rng, changes):
    batch, inputs = small_batch(rng), small_inputs(rng)
    without = dataclasses.replace(inputs, has_labels=False)
    losses = [
        float(build(config, each, batch).compute_loss(batch))
        for config, each in (
            (small_config(**changes), inputs), (small_config(), without)
        )
    ]
    assert losses[0] == losses[1]


def _prefix(batch: dict, user: int, at: int) -> dict:
    """One user's events before position `at`, asking for that event."""
    start = {k: v[user : user + 1] for k, v in batch.items()}
    asked = start["scenario"][:, at]
    return {
        **start,
        "length": tf.constant([at]),
        "asked_scenario": asked,
    }


def test_a_query_ignores_what_stands_behind_its_length(rng):
    batch = small_batch(rng)
    model = build(small_config(), small_inputs(rng), batch)
    vectors = model.catalogue_vectors()
    shorter = {**batch, "length": batch["length"] - 1}
    scrambled = {
        **shorter,
        "item": tf.where(
            tf.range(5)[None, :] >= shorter["length"][:, None],
            tf.constant(7),
            batch["item"],
        ),
    }
    # User 2 has nothing left before its target: its first event decides the
    # scenario of the start alone.
    expected = model.queries(shorter, vectors)
    actual = model.queries(scrambled, vectors)
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_item_and_query_vectors_have_unit_length(rng):
    batch = small_batch(rng)
    model = build(small_config(), small_inputs(rng), batch)
    model.item_tower.text_part.learn_axes(model.text_vectors(np.arange(ITEMS)))
    vectors = model.catalogue_vectors()
    queries = model.queries(batch, vectors)
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths[:9], 1, atol=1e-5)
    # Items without train events.
    new = model.config.model.new_item_scale
    np.testing.assert_allclose(lengths[9:], new, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, atol=1e-5)


def test_an_item_without_train_events_has_no_id_residual(rng):
    batch = small_batch(rng)
    model = build(small_config(), small_inputs(rng), batch)
    before = model.item_vectors(tf.range(ITEMS)).numpy()
    table = model.item_tower.id_residual.embeddings
    table.assign(tf.random.normal(table.shape))
    after = model.item_vectors(tf.range(ITEMS)).numpy()
    np.testing.assert_array_equal(before[9:], after[9:])
    assert (np.abs(before[:9] - after[:9]).max(axis=1) > 1e-3).all()


@pytest.mark.parametrize(
    "shrinkage, share",
    [
        (0.0, [1] * 9 + [0] * 2),
        (
            3.0,
            [3 / 4, 5 / 8, 4 / 7, 1 / 2, 1 / 2, 2 / 5, *[1 / 4] * 3, 0, 0],
        ),
    ],
)
def test_an_id_counts_for_more_the_more_events_it_has(rng, shrinkage, share):
    config = small_config()
    config = dataclasses.replace(
        config, model=dataclasses.replace(config.model, id_shrinkage=shrinkage)
    )
    inputs, batch = small_inputs(rng), small_batch(rng)
    model = build(config, inputs, batch)
    content = model.item_tower.content(
        tf.constant(inputs.text), tf.constant(inputs.category_codes),
        tf.constant(inputs.brand_codes),
    ).numpy()
    residual = model.item_tower.id_residual.get_weights()[0]
    whole = content + np.array(share)[:, None] * residual
    np.testing.assert_allclose(
        model.item_vectors(tf.range(ITEMS)),
        whole / np.linalg.norm(whole, axis=1, keepdims=True),
        rtol=1e-4, atol=1e-5,
    )


def test_id_dropout_hides_the_id_in_training_alone(rng):
    config = small_config()
    config = dataclasses.replace(
        config, model=dataclasses.replace(config.model, id_dropout=1.0)
    )
    batch = small_batch(rng)
    model = build(config, small_inputs(rng), batch)
    table = model.item_tower.id_residual.embeddings
    trained = model.item_vectors(tf.range(ITEMS), training=True)
    served = model.item_vectors(tf.range(ITEMS))
    table.assign(tf.random.normal(table.shape))
    np.testing.assert_array_equal(
        trained, model.item_vectors(tf.range(ITEMS), training=True)
    )
    assert np.abs(served - model.item_vectors(tf.range(ITEMS))).max() > 1e-3


@pytest.mark.parametrize(
    ("full_softmax_items", "ranking_loss"),
    [
        (50_000, "pointwise"), (50_000, "pairwise"), (50_000, "listwise"),
        (0, "pointwise"),
    ],
)
def test_two_devices_take_the_step_that_one_takes(
    rng, full_softmax_items, ranking_loss
):
    config = small_config(
        full_softmax_items=full_softmax_items, num_negatives=4,
        ranking_loss=ranking_loss,
    )
    inputs, batch = small_inputs(rng), small_batch(rng)
    # More of the first device's windows have labels than of the second's.
    batch["label"] = tf.where(
        tf.range(6)[:, None] == 1, np.nan, batch["label"]
    )
    losses, weights = [], []
    for strategy in (tf.distribute.get_strategy(), open_strategy("mirrored")):
        with strategy.scope():
            model = build(config, inputs, batch)
            # Adam would blow rounding errors up to whole steps.
            model.optimizer = tf.keras.optimizers.SGD(0.05)
            model.optimizer.build(model.trainable_variables)
        parts = strategy.experimental_distribute_values_from_function(
            lambda context, n=strategy.num_replicas_in_sync: {
                k: v[context.replica_id_in_sync_group :: n]
                for k, v in batch.items()
            }
        )
        step = tf.function(
            lambda parts, model=model, strategy=strategy: strategy.reduce(
                "SUM",
                strategy.run(train_step, args=(model, parts, 0.1)),
                axis=None,
            )
        )
        losses.append([float(step(parts)) for _ in range(2)])
        weights.append([v.numpy() for v in model.trainable_variables])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_an_item_without_train_events_is_never_a_negative(rng):
    batch, inputs = small_batch(rng), small_inputs(rng)
    before = float(build(small_config(), inputs, batch).compute_loss(batch))
    # Rows 9 and 10 have no train events; by their text they would count.
    text = inputs.text.copy()
    text[9:] = 9.0
    model = build(
        small_config(), dataclasses.replace(inputs, text=text), batch
    )
    assert float(model.compute_loss(batch)) == before
    table = model.item_tower.id_residual.embeddings
    table.assign_add(tf.ones_like(table))
    assert float(model.compute_loss(batch)) != before
