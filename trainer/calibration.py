"""Recent popularity beside the towers, weighed on held-out events.

In training the towers know their items too well: a cosine is sure of itself
there, and says little of an item that comes later. How much it counts, and how
much recent events do, is read off the validation events, where the towers are
as ignorant as they will be in service.
"""

from __future__ import annotations

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
_QUERIES = 128  # per step
_STEP_SIZE = 0.05  # falls to nothing along a cosine
_EMBEDDED = 1024  # queries that are embedded at a time
_OUT = -1e9  # the logit of an item that may not be recommended


def calibrate(model: TwoTower, prepared: Prepared, queries: Queries) -> None:
    """Fits `model.popularity` to validation targets by maximum likelihood.

    The loss is the cross-entropy of each target among all items that may be
    recommended, at the moment of its event.

    Args:
        model: trained; its towers stay as they are. One that does not read
            recent popularity stays as it is.
        prepared: the data.
        queries: of validation.

    Raises:
        ValueError: if no validation event can be recommended.
    """
    popularity = model.popularity
    if popularity is None:
        return
    numbers = _answerable(queries)
    if not len(numbers):
        raise ValueError(
            "recent_popularity is weighed on validation events, and there is "
            "none that may be recommended; hold some out (--validation-share, "
            "or rows that say `validation` in the `split` column)."
        )
    scorer = ModelScorer(model, prepared, queries)
    parts = [numbers[part] for part in in_order(len(numbers), _EMBEDDED)]
    embedded = np.concatenate([scorer.embed(part) for part in parts])
    variables = popularity.fitted
    # From one start, so that a resumed run finds what it found before.
    start = RecentPopularity(popularity.half_lives).fitted
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)
    optimizer = tf.keras.optimizers.Adam(
        tf.keras.optimizers.schedules.CosineDecay(_STEP_SIZE, _STEPS)
    )
    optimizer.build(variables)
    generator = np.random.default_rng(model.config.training.seed)
    for _ in tqdm(
        range(_STEPS), desc="recent popularity", unit="step", leave=False,
        mininterval=1.0,
    ):
        drawn = generator.choice(len(numbers), min(_QUERIES, len(numbers)))
        products = scorer.products_of(embedded[drawn])
        queries.exclude(products, numbers[drawn])
        with tf.GradientTape() as tape:
            tape.watch(variables)
            loss = _loss(model, queries, numbers[drawn], products)
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    print(_described(popularity))


def _answerable(queries: Queries) -> np.ndarray:
    """Numbers of the queries whose target may be recommended."""
    numbers = np.arange(len(queries))
    if queries.exclude_seen:
        row, item = queries.seen(numbers)
        is_seen = np.zeros(len(numbers), bool)
        is_seen[row[item == queries.items[numbers][row]]] = True
        numbers = numbers[~is_seen]
    return numbers


def _loss(
    model: TwoTower, queries: Queries, numbers: np.ndarray, products: np.ndarray
) -> tf.Tensor:
    """Of [b] queries and [b, items] products, minus infinity where out."""
    is_out = np.isinf(products)  # times a gradient of 0 it would be NaN
    scores = model.timely(
        np.where(is_out, 0.0, products), queries.moments[numbers]
    )
    logits = tf.where(is_out, _OUT, scores / model.config.model.temperature)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(
            queries.items[numbers], logits
        )
    )


def _described(popularity: RecentPopularity) -> str:
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
