"""Ends a run in the middle of its training, as a kill would."""

from __future__ import annotations

from trainer.scoring import ModelScorer


class Killed:
    """A scorer that lives for some validations."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, *args: object) -> ModelScorer:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return ModelScorer(*args)
