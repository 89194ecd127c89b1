"""The ranking losses: by hand, against slow loops, at the edges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from trainer.ranking_losses import listwise_loss, pairwise_loss

Loss = Callable[..., tuple[tf.Tensor, tf.Tensor]]
BOTH = pytest.mark.parametrize("loss_of", [pairwise_loss, listwise_loss])


def evaluate(
    loss_of: Loss, scores: object, labels: object, mask: object
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Losses, which windows count, and the gradient of the sum."""
    variable = tf.Variable(np.asarray(scores, np.float32))
    with tf.GradientTape() as tape:
        losses, counts = loss_of(
            variable, tf.constant(labels, tf.float32), tf.constant(mask)
        )
        total = tf.reduce_sum(losses)
    return losses.numpy(), counts.numpy(), tape.gradient(total, variable)


def test_pairs_by_hand() -> None:
    # Labels 3 > 1 > 0: the pairs' scores differ by 2 - 1, 2 - 4 and 1 - 4.
    losses, counts, gradient = evaluate(
        pairwise_loss, [[1, 2, 4]], [[1, 3, 0]], [[True] * 3]
    )
    terms = [math.log1p(math.exp(-difference)) for difference in (1, -2, -3)]
    np.testing.assert_allclose(losses, [sum(terms) / 3], rtol=1e-6)
    assert counts.tolist() == [True]
    # d/ds_j log(1 + exp(s_j - s_i)) = 1 / (1 + exp(s_i - s_j)).
    over, under, far = (1 / (1 + math.exp(d)) for d in (1, -2, -3))
    np.testing.assert_allclose(
        gradient,
        [[(over - far) / 3, -(over + under) / 3, (under + far) / 3]],
        rtol=1e-5,
    )


def test_lists_by_hand() -> None:
    # softmax(labels) is 2/3, 1/3; softmax(scores) is 1/5, 4/5.
    losses, counts, gradient = evaluate(
        listwise_loss,
        [[0, math.log(4)]], [[math.log(2), 0]], [[True, True]],
    )
    expected = -(2 * math.log(1 / 5) + math.log(4 / 5)) / 3
    np.testing.assert_allclose(losses, [expected], rtol=1e-6)
    assert counts.tolist() == [True]
    np.testing.assert_allclose(
        gradient, [[1 / 5 - 2 / 3, 4 / 5 - 1 / 3]], rtol=1e-5
    )


def slow_pairs(scores: list[float], labels: list[float]) -> float:
    terms = [
        math.log1p(math.exp(scores[j] - scores[i]))
        for i, j in itertools.permutations(range(len(scores)), 2)
        if labels[i] > labels[j]
    ]
    return sum(terms) / len(terms)


def slow_list(scores: list[float], labels: list[float]) -> float:
    wanted, found = ([math.exp(v) for v in of] for of in (labels, scores))
    return -sum(
        w / sum(wanted) * math.log(f / sum(found))
        for w, f in zip(wanted, found, strict=True)
    )


@pytest.mark.parametrize(
    ("loss_of", "slow"),
    [(pairwise_loss, slow_pairs), (listwise_loss, slow_list)],
)
def test_each_window_is_ranked_by_its_own_labelled_events(
    rng: np.random.Generator, loss_of: Loss, slow: Callable[..., float]
) -> None:
    scores = rng.normal(size=(3, 7))
    labels = rng.integers(0, 4, (3, 7)) / 3.0
    mask = rng.random((3, 7)) < 0.6
    mask[:, :2], labels[:, 0], labels[:, 1] = True, 0.0, 1.0
    assert 0 < (~mask).sum()
    expected = [
        slow(scores[w][mask[w]].tolist(), labels[w][mask[w]].tolist())
        for w in range(3)
    ]
    hidden = np.where(mask, labels, np.nan)
    losses, counts, _ = evaluate(loss_of, scores, hidden, mask)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert counts.all()


@BOTH
def test_what_the_mask_hides_changes_nothing(loss_of: Loss) -> None:
    labels, mask = [[1, 0, 0.5]], [[True, True, False]]
    short = evaluate(loss_of, [[0.3, 0.1]], [[1, 0]], [[True, True]])
    for hidden in (0.0, 3e38, -3e38, np.inf, np.nan):
        losses, counts, gradient = evaluate(
            loss_of, [[0.3, 0.1, hidden]], labels, mask
        )
        np.testing.assert_allclose(losses, short[0], rtol=1e-6)
        assert counts.tolist() == [True]
        np.testing.assert_allclose(gradient[:, :2], short[2], rtol=1e-6)
        assert float(gradient[0, 2]) == 0.0


@BOTH
@pytest.mark.parametrize("labelled", [0, 1])
def test_a_window_with_nothing_to_compare_does_not_count(
    loss_of: Loss, labelled: int
) -> None:
    mask = [[place < labelled for place in range(4)]]
    losses, counts, gradient = evaluate(
        loss_of, [[5, -2, 1, 0]], [[1, 0, np.nan, np.nan]], mask
    )
    assert losses.tolist() == [0.0]
    assert counts.tolist() == [False]
    assert not np.any(gradient)


@BOTH
def test_windows_without_events_have_no_loss(loss_of: Loss) -> None:
    nothing = np.zeros((2, 0))
    losses, counts, _ = evaluate(loss_of, nothing, nothing, nothing > 0)
    assert losses.tolist() == [0.0, 0.0]
    assert counts.tolist() == [False, False]


def test_equal_labels_are_no_pair() -> None:
    losses, counts, gradient = evaluate(
        pairwise_loss, [[3, -1, 8]], [[0.5] * 3], [[True] * 3]
    )
    assert losses.tolist() == [0.0]
    assert counts.tolist() == [False]
    assert not np.any(gradient)


def test_equal_labels_ask_for_equal_scores() -> None:
    losses, counts, gradient = evaluate(
        listwise_loss, [[2, 2, 2], [0, 0, 3]], [[0.5] * 3] * 2, [[True] * 3] * 2
    )
    # log(3) is the entropy of three equal shares, the least there is.
    assert losses[0] == pytest.approx(math.log(3), rel=1e-6)
    assert losses[1] > losses[0]
    assert counts.all()
    np.testing.assert_allclose(gradient[0], 0, atol=1e-6)
    assert gradient[1][2] > 0 > gradient[1][0]


# One pair, or two labels whose shares are e / (1 + e) and 1 / (1 + e), with
# scores 2e30 apart: the right way round, and the wrong way.
@pytest.mark.parametrize(
    ("loss_of", "expected"),
    [
        (pairwise_loss, [0, 2e30]),
        (listwise_loss, [2e30 / (1 + math.e), 2e30 * math.e / (1 + math.e)]),
    ],
)
def test_extreme_scores_have_finite_losses_and_gradients(
    loss_of: Loss, expected: list[float]
) -> None:
    losses, _, gradient = evaluate(
        loss_of, [[1e30, -1e30], [-1e30, 1e30]], [[1, 0]] * 2, [[True] * 2] * 2
    )
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert np.isfinite(gradient).all()
    assert gradient[1, 0] < -0.5 < 0.5 < gradient[1, 1]


@BOTH
def test_a_number_added_to_all_scores_changes_nothing(loss_of: Loss) -> None:
    scores = np.array([[0.1, -0.4, 0.9, 0.2]])
    labels, mask = [[0, 1, 0.5, 0.5]], [[True] * 4]
    moved = evaluate(loss_of, scores + 5, labels, mask)
    np.testing.assert_allclose(
        evaluate(loss_of, scores, labels, mask)[0], moved[0], rtol=1e-5
    )


def test_lists_are_best_where_scores_are_labels_plus_a_number() -> None:
    labels = np.array([[0.0, 0.25, 1.0]])
    shares = np.exp(labels) / np.exp(labels).sum()
    losses, _, gradient = evaluate(
        listwise_loss, labels - 3, labels, [[True] * 3]
    )
    entropy = -(shares * np.log(shares)).sum()
    assert losses[0] == pytest.approx(entropy, rel=1e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)
