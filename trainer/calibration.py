"""What counts beside the towers, weighed on held-out events.

In training the towers know their items too well: a cosine is sure of itself
there, and says little of an item that comes later. How much it counts, and how
much the texts themselves and recent events do, is read off the validation
events, where the towers are as ignorant as they will be in service.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from serving.recency import RecentPopularity
from trainer.batches import in_order
from trainer.evaluation import Queries
from trainer.model import TwoTower
from trainer.prepare import Prepared
from trainer.scoring import ModelScorer

_STEPS = 300
_QUERIES = 128  # per step, at most
_SCORES = 1 << 24  # per step, about, at most
_STEP_SIZE = 0.05  # falls to nothing along a cosine
_EMBEDDED = 256  # queries that are embedded at a time
_OUT = -1e9  # the logit of an item that may not be recommended
_TEXTS = 10_000  # items whose texts say in which directions texts differ
_LEAST_NEW = 100  # targets without train events from which these are weighed


def calibrate(model: TwoTower, prepared: Prepared, queries: Queries) -> None:
    """Fits to validation targets, by maximum likelihood, what scores add up:
    the share of the text part, the length of new items' vectors and
    `model.popularity`, as far as the model has them.

    The loss is the cross-entropy of each target among all items that may be
    recommended, at the moment of its event.

    Args:
        model: trained; its towers stay as they are.
        prepared: the data.
        queries: of validation.

    Raises:
        ValueError: if recent popularity is read and no validation event can
            be recommended.
    """
    numbers = _answerable(queries)
    if model.popularity and not len(numbers):
        raise ValueError(
            "recent_popularity is weighed on validation events, and there is "
            "none that may be recommended; hold some out (--validation-share, "
            "or rows that say `validation` in the `split` column)."
        )
    _start_anew(model)
    variables = _variables(model, queries.items[numbers])
    if not variables or not len(numbers):
        return
    likelihood = _Likelihood(model, prepared, queries, numbers, variables)
    optimizer = tf.keras.optimizers.Adam(
        tf.keras.optimizers.schedules.CosineDecay(_STEP_SIZE, _STEPS)
    )
    optimizer.build(variables)
    generator = np.random.default_rng(model.config.training.seed)
    most = min(_QUERIES, max(1, _SCORES // model.num_items), len(numbers))
    for _ in tqdm(
        range(_STEPS), desc="calibration", unit="step", leave=False,
        mininterval=1.0,
    ):
        gradients = likelihood.gradients(generator.choice(len(numbers), most))
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    print(_described(model, variables))


def _start_anew(model: TwoTower) -> None:
    """From one start, so that a resumed run finds what it found before."""
    part = model.item_tower.text_part
    part.reset()
    if part.dim:
        generator = np.random.default_rng(model.config.training.seed)
        drawn = generator.permutation(model.num_items)[:_TEXTS]
        part.learn_axes(model.text_vectors(drawn))
    if model.popularity:
        start = RecentPopularity(model.popularity.half_lives).fitted
        for variable, value in zip(model.popularity.fitted, start, strict=True):
            variable.assign(value)


def _variables(model: TwoTower, targets: np.ndarray) -> list[tf.Variable]:
    """What is fitted.

    Args:
        model: of which.
        targets: [queries] item codes.
    """
    part = model.item_tower.text_part
    variables = [part.share_logit] if part.dim else []
    if model.popularity:  # which weighs new items itself
        return variables + model.popularity.fitted
    trust = model.id_trust.numpy()
    if np.count_nonzero(trust[targets] == 0) >= _LEAST_NEW:
        variables.append(part.new_item_log_scale)
    return variables


def _answerable(queries: Queries) -> np.ndarray:
    """Numbers of the queries whose target may be recommended.

    By history length: those of like length share a batch, with little padding.
    """
    numbers = np.argsort(queries.history_lengths, kind="stable")
    if queries.exclude_seen:
        row, item = queries.seen(numbers)
        is_seen = np.zeros(len(numbers), bool)
        is_seen[row[item == queries.items[numbers][row]]] = True
        numbers = numbers[~is_seen]
    return numbers


class _Likelihood:
    """How likely targets are, as a function of what is fitted.

    Args:
        model, prepared, queries: as of `calibrate`.
        numbers: of the queries that are looked at.
        variables: what is fitted.
    """

    def __init__(
        self,
        model: TwoTower,
        prepared: Prepared,
        queries: Queries,
        numbers: np.ndarray,
        variables: Sequence[tf.Variable],
    ) -> None:
        self._model, self._queries, self._numbers = model, queries, numbers
        self._variables = variables
        split = model.item_tower.text_part.split
        scorer = ModelScorer(model, prepared, queries)
        embedded = np.concatenate([
            scorer.embed(numbers[part])
            for part in in_order(len(numbers), _EMBEDDED)
        ])
        self._asked = split(tf.constant(embedded))
        self._items = split(model.catalogue_vectors())

    def gradients(self, drawn: np.ndarray) -> list[tf.Tensor]:
        """Of the mean cross-entropy of [b] places in `numbers`."""
        numbers, queries = self._numbers[drawn], self._queries
        seen = np.zeros([len(drawn), queries.num_items], np.float32)
        queries.exclude(seen, numbers)
        found: list[tf.Tensor] = self._gradients(
            drawn, np.isinf(seen), queries.items[numbers],
            queries.moments[numbers],
        )
        return found

    @tf.function(autograph=False)
    def _gradients(
        self,
        drawn: tf.Tensor,
        is_out: tf.Tensor,
        targets: tf.Tensor,
        moments: tf.Tensor,
    ) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(self._variables)
            scores = self._products(drawn)
            if self._model.popularity:
                scores = self._model.timely(scores, moments)
            logits = scores / self._model.config.model.temperature
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    targets, tf.where(is_out, _OUT, logits)
                )
            )
        gradients: list[tf.Tensor] = tape.gradient(loss, self._variables)
        return gradients

    def _products(self, drawn: tf.Tensor) -> tf.Tensor:
        """[b, items] of vectors as they are joined now."""
        part = self._model.item_tower.text_part
        learnt, texts = (tf.gather(half, drawn) for half in self._asked)
        of_items = part.scaled(
            part.join(*self._items), self._model.id_trust
        )
        return tf.matmul(
            part.join(learnt, texts), of_items, transpose_b=True
        )


def _described(model: TwoTower, variables: Sequence[tf.Variable]) -> str:
    part = model.item_tower.text_part
    found = [f"texts count {float(tf.sigmoid(part.share_logit)):.0%}"]
    if any(each is part.new_item_log_scale for each in variables):
        length = float(tf.exp(part.new_item_log_scale))
        found.append(f"vectors of new items have length {length:.2f}")
    if model.popularity:
        found.append(_recency(model.popularity))
    return "; ".join(found)


def _recency(popularity: RecentPopularity) -> str:
    new, known = popularity.scales.numpy()
    weights = popularity.log_weights.numpy() - popularity.log_base.numpy()
    named = ", ".join(
        f"{np.exp(weight):.3g} at {hours:g} h"
        for hours, weight in zip(popularity.half_lives, weights, strict=True)
    )
    return (
        f"recent popularity: an event weighs {named}, to the power of "
        f"{float(popularity.exponent):.2f}; cosines count {known:.2f}, of new "
        f"items {new:.2f}"
    )
