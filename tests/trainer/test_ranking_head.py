"""The ranking head against sums worked out in NumPy."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from small_layers import DIM, config, normal, scramble

from trainer.ranking_head import RankingHead


def test_the_ranking_head_reads_query_item_product_and_scenario(rng):
    head = RankingHead(config(), num_scenarios=4)
    queries, items = normal(rng, 2, 3, DIM), normal(rng, 2, 3, DIM)
    scenario = rng.integers(0, 4, (2, 3))
    inputs = [tf.constant(each) for each in (queries, items, scenario)]
    head(*inputs)
    scramble(head, rng)
    known = head.scenario.get_weights()[0][scenario]
    told = np.concatenate([queries, items, queries * items, known], axis=-1)
    (kernel, bias), (out, start) = (
        layer.get_weights() for layer in (head.hidden, head.output_layer)
    )
    expected = (np.maximum(told @ kernel + bias, 0) @ out + start)[..., 0]
    scores = head.scores(*inputs)
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)

    head.slope.assign(0.5)
    head.offset.assign(3.0)
    np.testing.assert_allclose(
        head(*inputs), 0.5 * expected + 3.0, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(head.scores(*inputs), scores)
