"""Gradients of layers that are computed twice: the same, and in less."""

from __future__ import annotations

import contextlib
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
import transformers
from untrained_encoders import IDS, LAYERS, make, shake

from trainer.tuning import tune
from trainer.tuning.recompute import recomputing


def step(bert, weights, recompute: bool):
    """A graph of the gradients of what one token says."""

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape:
            mask = tf.cast(IDS != 0, tf.int32)
            with recomputing(bert) if recompute else contextlib.nullcontext():
                states = bert(IDS, attention_mask=mask).last_hidden_state
            loss = tf.reduce_sum(states[:, 0, :3] ** 2)
        return loss, {
            name: gradient
            for name, gradient in tape.gradient(loss, weights).items()
            if gradient is not None
        }

    return gradients


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "Electra"])
@pytest.mark.parametrize("method", ["lora", "adapter", "prefix", "full"])
def test_gradients_are_those_of_what_is_kept(kind, method):
    bert = make(kind)
    weights = tune(bert, method)
    shake(weights)
    loss, wanted = step(bert, weights, recompute=False)()
    again, found = step(bert, weights, recompute=True)()
    np.testing.assert_allclose(again, loss, rtol=1e-5)
    sizes = [np.abs(tf.convert_to_tensor(g)).max() for g in wanted.values()]
    assert max(sizes) > 1e-3
    for name, gradient in wanted.items():
        np.testing.assert_allclose(
            tf.convert_to_tensor(found[name]), tf.convert_to_tensor(gradient),
            rtol=1e-3, atol=1e-5,
        )


def test_each_layer_is_computed_twice():
    """Once forward, and once where its gradient is taken."""
    bert = make()
    weights = tune(bert, "lora")

    def softmaxes(recompute: bool) -> int:
        graph = step(bert, weights, recompute).get_concrete_function().graph
        return Counter(op.type for op in graph.get_operations())["Softmax"]

    assert softmaxes(recompute=False) == LAYERS
    assert softmaxes(recompute=True) == 2 * LAYERS


def test_it_works_in_half_precision():
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        bert = make()
        weights = tune(bert, "lora")
        shake(weights)
        _, wanted = step(bert, weights, recompute=False)()
        _, found = step(bert, weights, recompute=True)()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    for name, gradient in wanted.items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(found[name], gradient, atol=0.1 * scale)


def test_afterwards_the_encoder_is_as_it_was():
    bert = make()
    before = bert(IDS).last_hidden_state
    with pytest.raises(RuntimeError), recomputing(bert):
        raise RuntimeError
    assert "call" not in vars(bert.bert.encoder)
    np.testing.assert_array_equal(bert(IDS).last_hidden_state, before)


def test_layers_that_are_elsewhere_are_told():
    config = transformers.DistilBertConfig(
        vocab_size=50, dim=16, hidden_dim=16, n_layers=1, n_heads=2
    )
    bert = transformers.TFDistilBertModel(config)
    with (
        pytest.raises(ValueError, match="of a distilbert are not where"),
        recomputing(bert),
    ):
        pass
