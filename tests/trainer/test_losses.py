"""The retrieval loss: by hand, against TFRS, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.losses import log_inclusion_probability, retrieval_loss


def float32(values: object) -> tf.Tensor:
    return tf.constant(np.asarray(values), tf.float32)


def test_the_loss_of_two_candidates_by_hand() -> None:
    # Scores 2 and 1: log(1 + exp(1 - 2)), and log(1 + exp(2 - 1)).
    loss = retrieval_loss(
        float32([[1, 0, 0], [1, 0, 0]]),
        float32([[2, 5, 0], [1, 0, 7]]),
        tf.constant([0, 1]),
    )
    np.testing.assert_allclose(
        loss, [math.log1p(math.exp(-1)), math.log1p(math.e)], rtol=1e-6
    )


def test_temperature_divides_the_scores() -> None:
    loss = retrieval_loss(
        float32([[1.0]]), float32([[2], [1]]), tf.constant([0]), temperature=0.5
    )
    assert float(loss[0]) == pytest.approx(math.log1p(math.exp(-2)), rel=1e-6)


def test_an_item_that_is_rarely_drawn_stands_for_many() -> None:
    # Equal scores; the negative is drawn once in 1e9 times, well below the
    # floor of TFRS, so it stands for 1e9 items: log(1 + 1e9).
    loss = retrieval_loss(
        float32([[1.0]]),
        float32([[3], [3]]),
        tf.constant([0]),
        log_inclusion=float32([0, math.log(1e-9)]),
    )
    assert float(loss[0]) == pytest.approx(math.log1p(1e9), rel=1e-6)


def test_the_loss_equals_a_slow_softmax(rng: np.random.Generator) -> None:
    queries, candidates = rng.normal(size=(4, 5)), rng.normal(size=(7, 5))
    inclusion = rng.uniform(0.01, 1, 7)
    positives = [6, 0, 0, 3]  # one item chosen twice is one candidate
    expected = []
    for query, positive in zip(queries, positives, strict=True):
        weights = [
            math.exp(float(query @ candidate) / 0.3) / p
            for candidate, p in zip(candidates, inclusion, strict=True)
        ]
        expected.append(-math.log(weights[positive] / sum(weights)))
    loss = retrieval_loss(
        float32(queries),
        float32(candidates),
        tf.constant(positives),
        temperature=0.3,
        log_inclusion=float32(np.log(inclusion)),
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("precision", "tolerance"), [(tf.float32, 1e-5), (tf.bfloat16, 0.02)]
)
def test_the_gradient_is_that_of_tensorflows_cross_entropy(
    rng: np.random.Generator, precision: tf.DType, tolerance: float
) -> None:
    queries, candidates = float32(rng.normal(size=(4, 5))), float32(
        rng.normal(size=(7, 5))
    )
    positives = tf.constant([6, 0, 0, 3])
    log_inclusion = float32(np.log(rng.uniform(0.01, 1, 7)))
    upstream = float32([1.0, -2.0, 0.5, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([queries, candidates])
        logits = tf.matmul(queries, candidates, transpose_b=True) / 0.5
        expected = upstream * tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=positives, logits=logits - log_inclusion
        )
        found = upstream * retrieval_loss(
            queries, candidates, positives, temperature=0.5,
            log_inclusion=log_inclusion, precision=precision,
        )
    np.testing.assert_allclose(found, expected, atol=tolerance * 5)
    for of in (queries, candidates):
        gradient = tf.convert_to_tensor(tape.gradient(found, of))
        wanted = tape.gradient(expected, of)
        scale = float(tf.reduce_max(tf.abs(wanted)))
        np.testing.assert_allclose(gradient, wanted, atol=tolerance * scale)


def test_scores_far_apart_give_a_finite_loss_and_gradient() -> None:
    queries = float32([[1000.0], [-1000.0]])
    candidates = float32([[1.0], [-1.0]])
    with tf.GradientTape() as tape:
        tape.watch(queries)
        loss = retrieval_loss(queries, candidates, tf.constant([0, 0]))
    np.testing.assert_allclose(loss, [0.0, 2000.0])
    # d/dq of log(e^q + e^-q) - q: tanh(q) - 1.
    np.testing.assert_allclose(tape.gradient(loss, queries), [[0], [-2]])


@pytest.mark.parametrize("temperature", [1.0, 0.2])
def test_the_loss_sums_to_that_of_tfrs(
    rng: np.random.Generator, temperature: float
) -> None:
    queries, candidates = (float32(rng.normal(size=(4, 5))) for _ in range(2))
    task = tfrs.tasks.Retrieval(temperature=temperature)
    loss = retrieval_loss(
        queries, candidates, tf.range(4), temperature=temperature
    )
    expected = task(queries, candidates, compute_metrics=False)
    assert float(tf.reduce_sum(loss)) == pytest.approx(
        float(expected), rel=1e-5
    )


def test_the_corrected_loss_sums_to_that_of_tfrs(
    rng: np.random.Generator
) -> None:
    queries, candidates = (float32(rng.normal(size=(4, 5))) for _ in range(2))
    probability = float32([0.5, 1e-3, 0.02, 1.0])
    task = tfrs.tasks.Retrieval(temperature=0.4)
    loss = retrieval_loss(
        queries,
        candidates,
        tf.range(4),
        temperature=0.4,
        log_inclusion=tf.math.log(probability),
    )
    expected = task(
        queries,
        candidates,
        candidate_sampling_probability=probability,
        compute_metrics=False,
    )
    assert float(tf.reduce_sum(loss)) == pytest.approx(
        float(expected), rel=1e-5
    )


def test_extra_negatives_count_as_they_do_in_tfrs(
    rng: np.random.Generator
) -> None:
    queries = float32(rng.normal(size=(4, 5)))
    candidates = float32(rng.normal(size=(6, 5)))
    loss = retrieval_loss(queries, candidates, tf.range(4))
    expected = tfrs.tasks.Retrieval()(
        queries, candidates, compute_metrics=False
    )
    assert float(tf.reduce_sum(loss)) == pytest.approx(
        float(expected), rel=1e-5
    )


def test_a_sample_that_is_the_whole_catalogue_needs_no_correction(
    rng: np.random.Generator
) -> None:
    # Every item is certain to be drawn: the full softmax.
    queries = float32(rng.normal(size=(3, 5)))
    items = float32(rng.normal(size=(4, 5)))
    certain = log_inclusion_probability(
        float32([0.7, 0.1, 0.1, 0.1]), 10_000, 4, 10_000
    )
    full = retrieval_loss(queries, items, tf.constant([1, 3, 0]))
    sampled = retrieval_loss(
        queries, items, tf.constant([1, 3, 0]), log_inclusion=certain
    )
    np.testing.assert_allclose(sampled, full, rtol=1e-6)


def test_the_corrected_sum_over_samples_is_that_of_the_catalogue() -> None:
    # exp(loss + corrected score of the positive) is the softmax's sum: its
    # mean over drawn candidate sets is the sum over the whole catalogue.
    rng = np.random.default_rng(5)
    share = np.array([0.4, 0.3, 0.2, 0.06, 0.04])
    query = np.array([[1.0, -0.5, 0.3]])
    items = rng.normal(size=(5, 3))
    log_p = log_inclusion_probability(float32(share), 2, 5, 3).numpy()
    rounds = 20_000
    events = rng.choice(5, (rounds, 3), p=share)
    drawn = np.concatenate([events, rng.integers(0, 5, (rounds, 2))], axis=1)
    is_drawn = (drawn[:, :, None] == np.arange(5)).any(axis=1)
    sets, times = np.unique(is_drawn, axis=0, return_counts=True)
    sums = []
    for members in map(np.flatnonzero, sets):
        loss = retrieval_loss(
            float32(query),
            float32(items[members]),
            tf.constant([0]),
            log_inclusion=float32(log_p[members]),
        )
        first = members[0]
        score = float(query[0] @ items[first]) - log_p[first]
        sums.append(math.exp(float(loss[0]) + score))
    sums = np.repeat(sums, times)
    expected = np.exp(items @ query[0]).sum()
    error = np.std(sums) / math.sqrt(rounds)
    assert np.mean(sums) == pytest.approx(expected, abs=4 * error)
    assert error < 0.01 * expected


def test_inclusion_by_hand() -> None:
    # Two events and one uniform draw out of four: 1 - (1 - f)^2 * 3/4.
    found = log_inclusion_probability(float32([0.5, 0.1, 0.0]), 1, 4, 2)
    np.testing.assert_allclose(
        np.exp(found), [1 - 0.25 * 0.75, 1 - 0.81 * 0.75, 0.25], rtol=1e-5
    )


def test_inclusion_without_uniform_draws_by_hand() -> None:
    found = log_inclusion_probability(float32([0.5, 0.1]), 0, 4, 3)
    np.testing.assert_allclose(
        np.exp(found), [1 - 0.125, 1 - 0.729], rtol=1e-5
    )


def test_the_only_item_is_always_included() -> None:
    found = log_inclusion_probability(float32([1.0]), 3, 1, 2)
    assert found.numpy().tolist() == [0.0]


def test_rare_items_keep_their_digits() -> None:
    # 1 - (1 - 1e-7)^2 is 2e-7, which naive float32 arithmetic gets wrong.
    found = log_inclusion_probability(float32([1e-7]), 0, 10**7, 2)
    assert float(found[0]) == pytest.approx(math.log(2e-7), abs=1e-4)


def test_inclusion_equals_a_simulation() -> None:
    rng = np.random.default_rng(3)
    share = np.array([0.55, 0.25, 0.15, 0.05, 0.0])
    rounds = 100_000
    events = rng.choice(5, (rounds, 4), p=share)
    uniform = rng.integers(0, 5, (rounds, 3))
    drawn = np.concatenate([events, uniform], axis=1)
    expected = [(drawn == item).any(axis=1).mean() for item in range(5)]
    found = log_inclusion_probability(float32(share), 3, 5, 4)
    # Four standard errors of a share over 100,000 rounds are 0.0064 at most.
    np.testing.assert_allclose(np.exp(found), expected, atol=0.0064)
