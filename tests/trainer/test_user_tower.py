"""The layers of the user tower against sums worked out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from small_layers import (
    DIM,
    TEXT,
    UNITS,
    config,
    normal,
    scramble,
    unit,
)

from trainer.text_part import TextPart
from trainer.user_tower import UserTower

SIDE = 16


@pytest.fixture
def text_part(rng) -> TextPart:
    part = TextPart(DIM, TEXT, TEXT, new_item_scale=1.0)
    scramble(part, rng)
    return part


def build_user_tower(
    rng: np.random.Generator, num_scenarios: int = 3, **changes: object
) -> UserTower:
    tower = UserTower(
        config(**changes), num_scenarios=num_scenarios, num_event_types=4
    )
    state = tower.initial_state(tf.zeros([1, TEXT]), tf.constant([0]))
    codes = tf.zeros([1, 2], tf.int32)
    inputs = tower.event_inputs(tf.zeros([1, 2, DIM]), codes, codes, codes)
    tower.read(inputs, state)
    parts = tf.zeros([1, len(tower.interests.parts), DIM])
    tower.head(state[0], parts, tf.constant([0]))
    scramble(tower, rng)
    return tower


def test_profile_and_scenario_set_the_state_before_any_event(rng):
    tower = build_user_tower(rng)
    profiles = normal(rng, 2, TEXT)
    hidden, cell = tower.initial_state(
        tf.constant(profiles), tf.constant([2, 0])
    )
    kernel, bias = tower.start.get_weights()
    (profile_kernel,) = tower.profile.get_weights()
    scenario = tower.scenario.get_weights()[0][[2, 0]]
    state = scenario @ kernel + bias + profiles @ profile_kernel
    np.testing.assert_allclose(
        np.concatenate([hidden, cell], axis=1), state, atol=1e-5
    )


def test_a_profile_says_nothing_before_training_has_seen_any(rng):
    tower = UserTower(config(), num_scenarios=3, num_event_types=2)
    scenario = tf.constant([1])
    with_profile = tower.initial_state(normal(rng, 1, TEXT), scenario)
    without = tower.initial_state(tf.zeros([1, TEXT]), scenario)
    np.testing.assert_array_equal(with_profile[0], without[0])
    np.testing.assert_array_equal(with_profile[1], without[1])


def test_without_text_a_profile_sets_no_state(rng):
    tower = build_user_tower(rng, item_parts="id")
    profiles, asked = normal(rng, 1, TEXT), tf.constant([1])
    np.testing.assert_array_equal(
        tower.initial_state(profiles, asked)[0],
        tower.initial_state(np.zeros_like(profiles), asked)[0],
    )


def test_a_query_has_the_texts_of_recent_items_beside_what_is_learnt(
    rng, text_part
):
    tower = build_user_tower(rng)
    text_part.share_logit.assign(np.log(0.3 / 0.7))
    hidden, asked = tf.constant(normal(rng, 2, UNITS)), tf.constant([0, 2])
    parts = normal(rng, 2, 3, DIM + TEXT)
    parts[1, :, DIM:] = 0.0  # items without text
    found = tower.query(hidden, tf.constant(parts), asked, text_part).numpy()
    learnt = tower.head(hidden, tf.constant(parts[..., :DIM]), asked).numpy()
    np.testing.assert_allclose(found[0, :DIM], 0.7**0.5 * learnt[0], atol=1e-5)
    np.testing.assert_allclose(
        found[0, DIM:], 0.3**0.5 * unit(parts[0, 1, DIM:]), atol=1e-5
    )
    np.testing.assert_allclose(found[1, :DIM], learnt[1], atol=1e-6)
    assert not found[1, DIM:].any()


@pytest.mark.parametrize(
    ("interests", "part"), [("last,long", 0), ("short,last", 0), ("", None)]
)
def test_without_a_short_mean_a_query_has_the_texts_there_are(
    rng, text_part, interests, part
):
    tower = build_user_tower(rng, interests=interests)
    number = len(interests.split(",")) if interests else 0
    parts = normal(rng, 1, number, DIM + TEXT)
    found = tower.query(
        tf.constant(normal(rng, 1, UNITS)), tf.constant(parts),
        tf.constant([0]), text_part,
    ).numpy()
    texts = np.zeros(TEXT) if part is None else unit(parts[0, part, DIM:])
    _, of_texts = text_part.split(tf.constant(found))
    np.testing.assert_allclose(of_texts[0], texts, atol=1e-5)


def test_an_event_is_its_item_type_gap_and_scenario(rng):
    tower = build_user_tower(rng)
    vectors = normal(rng, 1, 2, DIM)
    event_type, gap, scenario = [[3, 0]], [[5, 33]], [[1, 2]]
    found = tower.event_inputs(
        tf.constant(vectors), *map(tf.constant, (event_type, gap, scenario))
    )
    expected = np.concatenate(
        [
            vectors * 2,  # the root of DIM: unit vectors get entries around 1
            tower.event_type.get_weights()[0][event_type],
            tower.gap.get_weights()[0][gap],
            tower.scenario.get_weights()[0][scenario],
        ],
        axis=-1,
    )
    assert expected.shape == (1, 2, DIM + 3 * SIDE)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_an_event_says_is_read_beside_the_rest(rng):
    tower = UserTower(
        config(), num_scenarios=3, num_event_types=4, reads_behaviour=True
    )
    texts, vectors = normal(rng, 1, 2, TEXT), normal(rng, 1, 2, DIM)
    texts[0, 1] = 0.0  # says nothing
    spoken = tower.spoken(tf.constant(texts)).numpy()
    (kernel,) = tower.behaviour.get_weights()
    np.testing.assert_allclose(spoken, texts * TEXT**0.5 @ kernel, atol=1e-5)
    assert kernel.shape == (TEXT, 64)
    assert not spoken[0, 1].any()
    codes = tf.zeros([1, 2], tf.int32)
    sides = [tf.constant(vectors), codes, codes, codes]
    found = tower.event_inputs(*sides, spoken).numpy()
    np.testing.assert_array_equal(found[..., -64:], spoken)
    np.testing.assert_array_equal(
        found[..., :-64], tower.event_inputs(*sides)
    )


def test_a_tower_that_reads_no_behaviour_says_so(rng):
    with pytest.raises(ValueError, match="behaviour_text"):
        build_user_tower(rng).spoken(tf.zeros([1, 2, TEXT]))


def test_the_last_state_is_that_of_the_events_on_the_left(rng):
    tower = build_user_tower(rng)
    inputs = tf.constant(normal(rng, 2, 4, DIM + 3 * SIDE))
    state = [tf.constant(normal(rng, 2, UNITS)) for _ in range(2)]
    number = [2, 4]  # of the first user two places are padding
    hidden = tower.read(inputs, state).numpy()
    after = tower.last_state(
        inputs, state, tf.constant(number), tower.recurrence
    )
    for user, last in enumerate(number):
        np.testing.assert_allclose(
            after[0][user], hidden[user, last - 1], rtol=1e-5
        )
        one = slice(user, user + 1)
        expected = stepped = [part[one] for part in state]
        for at in range(last):  # the cell too, by Keras' step
            _, expected = tower.lstm.cell(inputs[one, at], expected)
        for found, wanted in zip(after, expected, strict=True):
            np.testing.assert_allclose(found[one], wanted, rtol=1e-5)
        for at in range(4):  # from where it stands, one event at a time
            stepped = tower.last_state(
                inputs[one, at : at + 1],
                stepped,
                tf.constant([int(at < last)]),
                tower.recurrence,
            )
        np.testing.assert_allclose(stepped, expected, rtol=1e-5)


def test_half_floats_are_read_as_kerass_cell_reads_them(rng):
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        tower = build_user_tower(rng)
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
    inputs = tf.constant(normal(rng, 2, 5, DIM + 3 * SIDE))
    state = [tf.constant(normal(rng, 2, UNITS)) for _ in range(2)]
    recurrence = tower.recurrence
    found = tower.last_state(inputs, state, tf.constant([5, 5]), recurrence)
    expected = [tf.cast(part, tf.bfloat16) for part in state]
    for at in range(5):
        told = tf.cast(inputs[:, at], tf.bfloat16)
        _, expected = tower.lstm.cell(told, expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, tf.cast(other, tf.float32), atol=0.02)
    for at in range(5):  # kept between, it loses nothing to half floats
        one = slice(at, at + 1)
        state = tower.last_state(
            inputs[:, one], state, tf.constant([1, 1]), recurrence
        )
    np.testing.assert_allclose(state, found, rtol=1e-5)


def test_a_user_without_any_event_keeps_the_first_state(rng):
    tower = build_user_tower(rng)
    state = [tf.constant(normal(rng, 1, UNITS)) for _ in range(2)]
    for length in (0, 1, 2):
        after = tower.last_state(
            tf.constant(normal(rng, 1, length, DIM + 3 * SIDE)),
            state,
            tf.constant([0]),
            tower.recurrence,
        )
        for found, expected in zip(after, state, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_one_scenario_has_one_expert_beside_the_interests(rng):
    tower = build_user_tower(rng, num_scenarios=1, num_experts=4)
    hidden = tf.constant(normal(rng, 2, UNITS))
    parts = tf.constant(normal(rng, 2, 3, DIM))
    found = tower.head(hidden, parts, tf.constant([0, 0]))
    kernel, bias = tower.experts.get_weights()
    assert kernel.shape == (UNITS, DIM)  # one expert, whose gate is 1
    interests = tower.interests(hidden, parts).numpy()
    expected = unit(hidden.numpy() @ kernel + bias + interests)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_scenarios_mix_shared_experts_by_their_own_gates(rng):
    tower = build_user_tower(rng, num_scenarios=3, num_experts=2)
    hidden, parts = normal(rng, 1, UNITS), np.zeros((1, 3, DIM), np.float32)
    kernel, bias = tower.experts.get_weights()
    one, two = np.split((hidden @ kernel + bias)[0], 2)
    for scenario, logits in enumerate(tower.gate.get_weights()[0]):
        weight = 1 / (1 + np.exp(logits[1] - logits[0]))
        expected = unit(weight * one + (1 - weight) * two)
        found = tower.head(
            tf.constant(hidden), tf.constant(parts), tf.constant([scenario])
        )
        np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-6)
