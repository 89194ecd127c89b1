"""Rank where it is needed: AdaLoRA (Zhang et al., ICLR 2023, 2303.10512).

Each adapted kernel starts with more rank than the mean that is asked for.
While training goes on, it is followed how much each rank-one part (a column
of P, a value, a row of Q) does for the loss; over all kernels, the values of
those that do least are set to zero, until the budget is met.

Axes: T rank-one parts of all kernels together, R of one kernel.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

Weights = dict[str, tf.Variable]
PARTS = ("left", "values", "right")  # how the names of an SVD's weights end
_START = 1.5  # rank at the start for each that is asked for, as in the paper
_MEMORY = 0.85  # of both averages, as in the paper
_PENALTY = 0.1  # of P and Q that are not orthonormal
_WARM_UP, _SETTLED = 0.1, 0.5  # shares of all steps
_INTERVAL = 10  # steps between allocations: time for a part to come back


class Svd(NamedTuple):
    """What is added to one kernel: P diag(values) Q.

    Attributes:
        left: P, [rows, R].
        values: [R].
        right: Q, [R, columns].
    """

    left: tf.Variable
    values: tf.Variable
    right: tf.Variable


@dataclasses.dataclass(frozen=True)
class Budget:
    """How many rank-one parts all kernels may have together.

    Attributes:
        start, end: before it falls, and once it has fallen.
        steps: of the whole training.
    """

    start: int
    end: int
    steps: int

    @property
    def settled_step(self) -> int:
        """The first step, counted from 1, at which the end is reached."""
        return max(1, math.ceil(_SETTLED * self.steps))

    def at(self, step: tf.Tensor) -> tf.Tensor:
        """The budget at a step: it falls as a cubic (Zhu and Gupta, 2017).

        Args:
            step: scalar int64, counted from 1.

        Returns:
            Scalar int32.
        """
        first, last = int(_WARM_UP * self.steps), self.settled_step
        passed = tf.cast(step - first, tf.float32) / max(1, last - first)
        left = (1 - tf.clip_by_value(passed, 0.0, 1.0)) ** 3
        above = tf.cast(self.start - self.end, tf.float32) * left
        return self.end + tf.cast(tf.math.ceil(above), tf.int32)


class Importance(tf.Module):
    """How much each number of a weight does for the loss, and how surely.

    Sensitivity is |weight * gradient|, averaged over steps; uncertainty is
    the average of how far it lies from that; the score is their product.
    """

    def __init__(self, weight: tf.Variable) -> None:
        super().__init__(name="importance")
        self.sensitivity = _followed(tf.zeros(weight.shape))
        self.uncertainty = _followed(tf.zeros(weight.shape))

    def update(self, weight: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        """Takes a step in. Returns the scores, shaped as the weight."""
        now = tf.abs(weight * gradient)
        sensitivity = _mixed(self.sensitivity, now)
        distance = tf.abs(now - sensitivity)
        uncertainty = _mixed(self.uncertainty, distance)
        self.sensitivity.assign(sensitivity)
        self.uncertainty.assign(uncertainty)
        return sensitivity * uncertainty


class RankAllocation(tf.Module):
    """Cuts the ranks of an encoder's SVDs down to a budget.

    Its variables say what was followed so far: they belong to a checkpoint.

    Args:
        weights: to be trained, by the names of `tune`.
        size: mean rank of a kernel in the end.
        steps: of the whole training.
    """

    def __init__(self, weights: Weights, size: int, steps: int) -> None:
        super().__init__(name="rank_allocation")
        svds = svds_of(weights)
        self._importances = [
            [Importance(weight) for weight in svd] for svd in svds.values()
        ]
        total = sum(int(svd.values.shape[0]) for svd in svds.values())
        self._is_kept = _followed(tf.ones([total], tf.bool))
        # Past TensorFlow, which would save weights here that others save.
        self.__dict__["_svds"] = list(svds.values())
        self.budget = Budget(total, min(total, size * len(svds)), steps)

    def penalty(self) -> tf.Tensor:
        """Scalar: how far P and Q are from orthonormal, weighted."""
        found = [
            off_orthonormal(tf.transpose(svd.left)) + off_orthonormal(svd.right)
            for svd in self._svds
        ]
        return _PENALTY * tf.add_n(found)

    def follow(self, gradients: Mapping[object, tf.Tensor]) -> tf.Tensor:
        """Takes in the gradients of a step that is not taken yet.

        Args:
            gradients: by `ref` of the weight.

        Returns:
            [T] scores of the rank-one parts.
        """
        scores = []
        for svd, importances in zip(
            self._svds, self._importances, strict=True
        ):
            left, values, right = (
                importance.update(tf.identity(weight), gradients[weight.ref()])
                for weight, importance in zip(svd, importances, strict=True)
            )
            scores.append(
                values
                + tf.reduce_mean(left, axis=0)
                + tf.reduce_mean(right, axis=1)
            )
        return tf.concat(scores, axis=0)

    def cut(self, scores: tf.Tensor, step: tf.Tensor) -> None:
        """Sets the values beyond the budget to zero, once a step is taken.

        Between two allocations all values are trained, so that a part may
        come back; once the budget has fallen, the choice is for good.

        Args:
            scores: [T] as `follow` gave them.
            step: scalar int64, its number, counted from 1.
        """
        last = tf.cast(self.budget.settled_step, step.dtype)
        is_allocation = (step < last) & (step % _INTERVAL == 0)
        is_allocation |= tf.equal(step, last)
        # No tf.cond: replicas may not write to a variable inside one.
        best = highest(scores, self.budget.at(step))
        is_kept = tf.where(is_allocation, best, self._is_kept)
        self._is_kept.assign(is_kept)
        is_cut = ~is_kept & (is_allocation | (step > last))
        sizes = [svd.values.shape[0] for svd in self._svds]
        for svd, part in zip(
            self._svds, tf.split(is_cut, sizes), strict=True
        ):
            svd.values.assign(tf.where(part, 0.0, tf.identity(svd.values)))


def start_rank(size: int) -> int:
    """Rank of each kernel before any is taken away."""
    return math.ceil(_START * size)


def svds_of(weights: Weights) -> dict[str, Svd]:
    """What is added to each kernel, by the kernel's name."""
    kernels = dict.fromkeys(name.rpartition("/")[0] for name in weights)
    return {
        kernel: Svd(*(weights[f"{kernel}/{part}"] for part in PARTS))
        for kernel in kernels
    }


def ranks(weights: Weights) -> dict[str, int]:
    """Rank of each kernel's product: its values that are not zero."""
    return {
        kernel: int(tf.math.count_nonzero(tf.identity(svd.values)))
        for kernel, svd in svds_of(weights).items()
    }


def table_of(ranks: Mapping[str, int]) -> str:
    """Ranks for a person: a row per layer, a column per kernel.

    Example:
        >>> print(table_of({"0/query": 3, "0/key": 0, "1/query": 1,
        ...                 "1/key": 2}))
        rank  query  key
           0      3    0
           1      1    2
    """
    rows: dict[str, dict[str, int]] = {}
    for name, rank in ranks.items():
        layer, _, kernel = name.rpartition("/")
        rows.setdefault(layer, {})[kernel] = rank
    lines = [["rank", *next(iter(rows.values()))]]
    lines += [[layer, *map(str, row.values())] for layer, row in rows.items()]
    widths = [len(title) for title in lines[0]]
    return "\n".join(
        "  ".join(cell.rjust(n) for cell, n in zip(line, widths, strict=True))
        for line in lines
    )


def off_orthonormal(rows: tf.Tensor) -> tf.Tensor:
    """[R, n] -> scalar squared distance of its Gram matrix from identity."""
    gram = tf.matmul(rows, rows, transpose_b=True)
    return tf.reduce_sum((gram - tf.eye(tf.shape(rows)[0])) ** 2)


def highest(scores: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """[T] scores -> [T] bool, true for exactly the `count` highest ones."""
    order = tf.argsort(scores, direction="DESCENDING", stable=True)
    place = tf.argsort(order)
    return place < count


def _followed(value: tf.Tensor) -> tf.Variable:
    """A variable that all replicas write alike."""
    return tf.Variable(
        value,
        trainable=False,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def _mixed(average: tf.Variable, now: tf.Tensor) -> tf.Tensor:
    return _MEMORY * tf.identity(average) + (1 - _MEMORY) * now
