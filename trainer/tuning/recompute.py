"""Less memory in training: a layer's insides are computed twice, not kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from transformers.modeling_tf_outputs import (
    TFBaseModelOutputWithPastAndCrossAttentions,
)

from trainer.tuning.methods import blocks


@contextlib.contextmanager
def recomputing(bert: Any) -> Iterator[None]:
    """While this lasts, calls of an encoder keep what its layers take alone.

    What else the gradients need is computed anew, layer by layer, when they
    are taken (Chen et al., arXiv 1604.06174): one layer's activations are in
    memory at a time, for a forward pass more. Results are the same.

    Args:
        bert: a TensorFlow BERT, RoBERTa or ELECTRA.

    Raises:
        ValueError: if it is built another way.
    """
    try:
        layers = [_recomputed(block) for block in blocks(bert)]
    except ValueError:
        raise ValueError(
            f"recompute: the layers of a {bert.config.model_type} are not "
            "where BERT has them; leave --recompute out."
        ) from None
    encoder = getattr(bert, bert.base_model_prefix).encoder

    @tf.autograph.experimental.do_not_convert
    def layer_by_layer(
        hidden_states: tf.Tensor, attention_mask: tf.Tensor, **_: Any
    ) -> Any:
        for layer in layers:
            hidden_states = layer(hidden_states, attention_mask)
        return TFBaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden_states
        )

    encoder.call = layer_by_layer
    try:
        yield
    finally:
        del encoder.call  # what the class says is seen again


def _recomputed(block: Any) -> Any:
    def outputs(states: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        found = block(
            hidden_states=states,
            attention_mask=mask,
            head_mask=None,
            encoder_hidden_states=None,
            encoder_attention_mask=None,
            past_key_value=None,
            output_attentions=False,
            training=False,
        )
        return found[0]

    return tf.recompute_grad(outputs)
