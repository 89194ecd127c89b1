"""What all tests share: one TensorFlow with two CPU devices, small models."""

from __future__ import annotations

import os

import numpy as np
import pytest

from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.prepare import prepare
from trainer.run import Run
from trainer.sample.__main__ import main
from trainer.tables import load_dataset
from trainer.text_config import TextConfig

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_configure(config: pytest.Config) -> None:
    """Splits the CPU in two before TensorFlow starts, for `mirrored`."""
    if config.getoption("numprocesses", None):
        return  # the tests run in other processes
    import tensorflow as tf

    device = tf.config.list_physical_devices("CPU")[0]
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(device, [half, half])


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over sample logs that has trained, evaluated and exported."""
    folder = tmp_path_factory.mktemp("small_run")
    main([str(folder / "data"), "--users", "250", "--items", "130"])
    config = RunConfig(
        text=TextConfig(text_encoder="tiny", max_tokens=16),
        model=ModelConfig(embedding_dim=16, lstm_units=12),
        training=TrainingConfig(epochs=2),
        data=DataConfig(max_history=8),
    )
    dataset = load_dataset(
        str(folder / "data"), config.data,
        rejects_dir=folder / "rejects", now=1_800_000_000,
    )
    run = Run(prepare(dataset, config), config, folder / "job")
    run.execute()
    return run
