"""Settings of a run that tunes an encoder once its towers have learnt by it.

Towers that know nothing yet pull an encoder about. So they learn by it as it
is first, in a run of their own, and are then fitted with it from there: linear
probing, then fine-tuning (Kumar et al., ICLR 2022).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from trainer.config import RunConfig, TrainingConfig
from trainer.text_config import TextConfig
from trainer.warm_start import EarlierRun

# Of the towers' step size, while the encoder is tuned.
_TOWERS_RATE = 0.25


def tunes_late(text: TextConfig, earlier: EarlierRun | None) -> bool:
    """Whether towers come before the encoder.

    Args:
        text: settings of the encoder.
        earlier: the run that is gone on from. Where it has tuned, its towers
            know the encoder as it is already.
    """
    was_frozen = earlier is None or earlier.is_frozen
    return text.tunes_encoder and text.tune_epochs > 0 and was_frozen


def settings_of_towers(config: RunConfig, text_cache: Path) -> RunConfig:
    """Of the run in which the towers learn, with the whole run's cache."""
    text = dataclasses.replace(
        config.text.frozen(), text_cache=str(text_cache)
    )
    return dataclasses.replace(config, text=text)


def settings_of_tuning(config: RunConfig) -> TrainingConfig:
    """How towers and encoder are fitted after that."""
    training = config.training
    return dataclasses.replace(
        training,
        epochs=config.text.tune_epochs,
        learning_rate=_TOWERS_RATE * training.learning_rate,
    )
