"""Rank goes where it is needed, and the budget is kept."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.strategies import open_strategy
from trainer.training_step import train_step
from trainer.tuning.layers import SvdDense
from trainer.tuning.rank_allocation import (
    Budget,
    RankAllocation,
    highest,
    off_orthonormal,
    ranks,
    svds_of,
)

ROWS, COLUMNS, KERNELS, SIZE = 5, 7, 3, 2
START = 3  # half as much again as SIZE
TOTAL = SIZE * KERNELS


class Regression(tf.Module):
    """Three kernels side by side: one is far from the truth, others nearly it.

    Args:
        wrong: number of the kernel that is to be found.
        steps: of the whole training.
    """

    def __init__(self, wrong: int, steps: int) -> None:
        super().__init__()
        draw = np.random.default_rng(5)
        tf.keras.utils.set_random_seed(1)
        bases = [tf.keras.layers.Dense(COLUMNS) for _ in range(KERNELS)]
        for base in bases:
            base.build([None, ROWS])
        self.layers = [SvdDense(base, START) for base in bases]
        change = np.linalg.qr(draw.normal(size=(ROWS, START)))[0] @ (
            draw.normal(size=(START, COLUMNS))
        )
        self.truth = [
            base.kernel.numpy() + (1.0 if number == wrong else 0.01) * change
            for number, base in enumerate(bases)
        ]
        self.weights = {
            f"{number}/k/{part}": getattr(layer, part)
            for number, layer in enumerate(self.layers)
            for part in ("left", "values", "right")
        }
        self.allocation = RankAllocation(self.weights, SIZE, steps)

    @property
    def trainable_variables(self):
        return list(self.weights.values())

    def compute_loss(self, inputs, training=False):
        errors = [
            tf.reduce_mean((layer(x) - tf.matmul(x, w)) ** 2)
            for layer, x, w in zip(
                self.layers, tf.unstack(inputs["x"], axis=1), self.truth,
                strict=True,
            )
        ]
        context = tf.distribute.get_replica_context()
        return tf.add_n(errors) / context.num_replicas_in_sync


def batches(count: int):
    """[rows, kernels, ROWS] inputs."""
    draw = np.random.default_rng(2)
    for _ in range(count):
        x = draw.normal(size=(16, KERNELS, ROWS))
        yield {"x": tf.constant(x, tf.float32)}




def fit(model: Regression, steps: int) -> None:
    model.optimizer = tf.keras.optimizers.Adam(0.02)
    step = tf.function(
        lambda batch: train_step(model, batch, 1.0, model.allocation)
    )
    for batch in batches(steps):
        step(batch)


@pytest.mark.parametrize("wrong", range(KERNELS))
def test_the_kernel_that_needs_rank_gets_all_it_can_hold(wrong):
    model = Regression(wrong, steps=300)
    fit(model, 300)
    found = ranks(model.weights)
    assert found[f"{wrong}/k"] == START
    assert sum(found.values()) == TOTAL
    layer = model.layers[wrong]
    x = tf.random.normal([4, ROWS])
    np.testing.assert_allclose(
        layer(x), tf.matmul(x, model.truth[wrong]), atol=0.1
    )


def by_hand(weight, gradients) -> np.ndarray:
    """Score after steps, number by number, as the paper's equations 8-11."""
    scores = np.zeros(weight.shape)
    for at in np.ndindex(*weight.shape):
        sensitivity = uncertainty = 0.0
        for gradient in gradients:
            now = abs(float(weight[at]) * float(gradient[at]))
            sensitivity = 0.85 * sensitivity + 0.15 * now
            uncertainty = (
                0.85 * uncertainty + 0.15 * abs(now - sensitivity)
            )
        scores[at] = sensitivity * uncertainty
    return scores


def test_importance_is_what_the_equations_say():
    draw = np.random.default_rng(3)
    model = Regression(0, steps=10)
    for variable in model.weights.values():
        variable.assign(draw.normal(size=variable.shape))
    gradients = [
        {name: draw.normal(size=v.shape) for name, v in model.weights.items()}
        for _ in range(3)
    ]
    for each in gradients:
        found = model.allocation.follow({
            model.weights[name].ref(): tf.constant(value, tf.float32)
            for name, value in each.items()
        })
    wanted = []
    for kernel in range(KERNELS):
        left, values, right = (
            by_hand(
                model.weights[name].numpy(), [each[name] for each in gradients]
            )
            for name in (
                f"{kernel}/k/left", f"{kernel}/k/values", f"{kernel}/k/right"
            )
        )
        for part in range(START):
            wanted.append(
                values[part]
                + sum(left[row, part] for row in range(ROWS)) / ROWS
                + sum(right[part, at] for at in range(COLUMNS)) / COLUMNS
            )
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_the_budget_waits_falls_as_a_cubic_and_stays():
    budget = Budget(start=90, end=60, steps=100)
    assert budget.settled_step == 50
    found = {
        step: int(budget.at(tf.constant(step, tf.int64)))
        for step in (1, 10, 20, 30, 50, 100)
    }
    # Halfway, at step 30, an eighth of the 30 is left: 3.75, so 4.
    # A quarter of the way: 27/64 of the 30 are 12.66, so 13.
    assert found == {1: 90, 10: 90, 20: 73, 30: 64, 50: 60, 100: 60}


def test_exactly_as_many_are_kept_where_scores_are_equal():
    found = highest(tf.constant([0.0, 2.0, 0.0, 0.0, 5.0]), tf.constant(3))
    np.testing.assert_array_equal(found, [True, True, False, False, True])


def values_after(model: Regression, step: int) -> np.ndarray:
    """[T] values, all one before a step whose scores rise with the place."""
    for svd in svds_of(model.weights).values():
        svd.values.assign(tf.ones_like(svd.values))
    model.allocation.cut(
        tf.range(9, dtype=tf.float32), tf.constant(step, tf.int64)
    )
    return np.concatenate(
        [svd.values.numpy() for svd in svds_of(model.weights).values()]
    )


def test_values_are_cut_at_allocations_and_the_last_choice_stays():
    model = Regression(0, steps=30)  # settled at step 15
    np.testing.assert_array_equal(values_after(model, 9), np.ones(9))
    # Budget of step 10: (15 - 10) / 12 is left, cubed .07: one above 6.
    np.testing.assert_array_equal(
        values_after(model, 10), [0, 0, 1, 1, 1, 1, 1, 1, 1]
    )
    np.testing.assert_array_equal(values_after(model, 11), np.ones(9))
    last = [0, 0, 0, 1, 1, 1, 1, 1, 1]
    np.testing.assert_array_equal(values_after(model, 15), last)
    model.allocation.cut(
        tf.range(9, 0, -1, dtype=tf.float32), tf.constant(16, tf.int64)
    )
    np.testing.assert_array_equal(values_after(model, 20), last)


def test_the_penalty_counts_what_is_not_orthonormal():
    rows = tf.constant([[1.0, 0.0, 0.0], [0.6, 0.0, 2.0]])
    # Gram: [[1, .6], [.6, 4.36]]; off by .6 twice and by 3.36 once.
    assert float(off_orthonormal(rows)) == pytest.approx(
        2 * 0.36 + 3.36**2, rel=1e-5
    )
    model = Regression(0, steps=10)
    assert float(model.allocation.penalty()) == pytest.approx(0, abs=1e-4)
    left = model.layers[1].left
    left.assign(2 * left)  # the Gram matrix is 4 I: off by 3, three times
    assert float(model.allocation.penalty()) == pytest.approx(
        0.1 * 27, rel=1e-4
    )


def followed(model: Regression) -> list[np.ndarray]:
    variables = model.allocation.variables
    return [v.numpy() for v in variables if not v.trainable]


def test_what_was_followed_is_in_a_checkpoint(tmp_path):
    model = Regression(1, steps=40)
    fit(model, 30)
    path = tf.train.Checkpoint(a=model.allocation).save(str(tmp_path / "c"))
    again = Regression(1, steps=40)
    tf.train.Checkpoint(a=again.allocation).restore(
        path
    ).assert_existing_objects_matched()
    before, after = followed(model), followed(again)
    for one, two in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, two)
    assert all(value.any() for value in before)
    # Two averages of each weight and the choice; trained weights lie elsewhere.
    assert len(before) == 2 * 3 * KERNELS + 1
    saved = [n for n, _ in tf.train.list_variables(path) if "VALUE" in n]
    assert len(saved) == len(before) + 1  # and the number of the checkpoint


def test_two_devices_share_the_rank_out_as_one_does():
    found = []
    for strategy in (tf.distribute.get_strategy(), open_strategy("mirrored")):
        with strategy.scope():
            model = Regression(1, steps=24)
            model.optimizer = tf.keras.optimizers.SGD(0.5)
            model.optimizer.build(model.trainable_variables)
        number = strategy.num_replicas_in_sync
        step = tf.function(
            lambda parts, model=model, strategy=strategy: strategy.run(
                train_step, args=(model, parts, 1.0, model.allocation)
            )
        )
        for batch in batches(24):
            step(
                strategy.experimental_distribute_values_from_function(
                    lambda context, batch=batch, n=number: {
                        "x": batch["x"][
                            context.replica_id_in_sync_group :: n
                        ]
                    }
                )
            )
        weights = [v.numpy() for v in model.weights.values()]
        found.append([*weights, *followed(model)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
