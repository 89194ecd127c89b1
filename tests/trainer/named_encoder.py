"""Text encoders by name, for a catalogue of a few goods."""

from __future__ import annotations

from pathlib import Path

from trainer.encoder import TextEncoder
from trainer.encoder_loading import load_encoder

# Twice, because a word that occurs once is learnt as its letters.
CORPUS = 2 * ["Red cotton dress", "Running shoes for the road", "红色连衣裙"]


def load(name: str, folder: Path, max_tokens: int = 12) -> TextEncoder:
    return load_encoder(
        name, max_tokens=max_tokens, corpus=CORPUS, folder=folder
    )
