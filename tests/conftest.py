"""What all tests share: one TensorFlow with two CPU devices, small models."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_configure() -> None:
    """Splits the CPU in two before TensorFlow starts, for `mirrored`."""
    import trainer  # noqa: F401 - sets the Keras 2 flag
    import tensorflow as tf

    device = tf.config.list_physical_devices("CPU")[0]
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(device, [half, half])


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(7)
