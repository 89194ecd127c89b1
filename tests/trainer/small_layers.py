"""Layers of small sizes, with random weights."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from trainer.config import ModelConfig

DIM, UNITS, TEXT = 4, 6, 5
NONE = -1


def config(**changes: object) -> ModelConfig:
    defaults = {"embedding_dim": DIM, "lstm_units": UNITS, "dropout": 0.0}
    return ModelConfig(**{**defaults, **changes})


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def scramble(layer: tf.keras.layers.Layer, rng: np.random.Generator) -> None:
    """Random weights everywhere: zeros and ones would hide a mistake."""
    layer.set_weights([normal(rng, *w.shape) for w in layer.get_weights()])
