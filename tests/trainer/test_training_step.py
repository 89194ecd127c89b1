"""The step size; the step itself is tested with the model, on two devices."""

from __future__ import annotations

import pytest

from trainer.config import TrainingConfig
from trainer.training_step import build_optimizer


def test_the_step_size_falls_along_a_cosine():
    config = TrainingConfig(learning_rate=0.2)
    rate = build_optimizer(config, steps=10)._learning_rate
    found = [float(rate(step)) for step in (0, 5, 10, 11)]
    assert found == pytest.approx([0.2, 0.1, 0.0, 0.0], abs=1e-7)
