"""The encoder that another one learns from."""

from __future__ import annotations

from pathlib import Path

from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder, locate
from trainer.encoder_sizes import is_made_here
from trainer.pretraining.config import PretrainingConfig
from trainer.tuning.adapter_folder import is_adapter


def load_teacher(config: PretrainingConfig) -> TextEncoder:
    """Loads the encoder of `distill_from`.

    Args:
        config: with a teacher; its `max_tokens` holds for both.

    Raises:
        ValueError: if there is no such encoder, or it has nothing to teach.
    """
    name = str(config.distill_from)
    if is_made_here(name):
        raise ValueError(
            f"distill_from: {name!r} is a new encoder, which knows nothing; "
            "give minilm, a folder, JOB/adapter or a hub name."
        )
    try:
        if place_of(name) == place_of(config.encoder):
            raise ValueError(
                f"{name!r} is the encoder that is to learn too; give a "
                "larger one, or another --encoder."
            )
        return load_encoder(
            name, max_tokens=config.max_tokens, corpus=[], folder=Path()
        )
    except ValueError as error:
        raise ValueError(f"distill_from: {error}") from error


def place_of(name: str) -> str:
    """What two names of one encoder have in common.

    Raises:
        ValueError: if there is no such folder.
    """
    if is_made_here(name) or is_adapter(name):
        return name  # no student is an adapter
    source = locate(name)
    return str(Path(source).resolve()) if Path(source).is_dir() else source
