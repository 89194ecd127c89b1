"""Tuning an encoder with the towers by training a share of its weights."""

from trainer.tuning.methods import MERGED, merge, tune
from trainer.tuning.tuning import Tuning

__all__ = ["MERGED", "Tuning", "merge", "tune"]
