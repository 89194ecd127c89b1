"""Small encoders with random weights, of several families."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import transformers

LAYERS, WIDTH, INNER, VOCABULARY, POSITIONS = 3, 16, 24, 50, 20
IDS = tf.constant([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]])
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
}


def make(kind: str = "Bert", seed: int = 1) -> transformers.TFPreTrainedModel:
    tf.keras.utils.set_random_seed(seed)
    config = getattr(transformers, f"{kind}Config")(**SIZES)
    bert = getattr(transformers, f"TF{kind}Model")(config)
    bert.build_in_name_scope()
    return bert


def shake(weights: dict[str, tf.Variable]) -> None:
    """Trains them, in a way."""
    generator = np.random.default_rng(0)
    for variable in weights.values():
        variable.assign_add(generator.normal(0, 0.3, variable.shape))
