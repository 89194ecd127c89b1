"""What a search over settings may vary, and between which bounds.

What decides the sizes of weights is left out: every trial can go on from the
weights of the same earlier run.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Bounds(NamedTuple):
    """Values of one setting that are tried.

    Attributes:
        low: least value.
        high: greatest value.
        is_log: whether factors count, and not differences.
    """

    low: float
    high: float
    is_log: bool = False


# By `section.field` of `trainer.config.RunConfig`.
SEARCH_SPACE: Mapping[str, Bounds] = MappingProxyType({
    "training.learning_rate": Bounds(3e-4, 1e-2, is_log=True),
    "training.weight_decay": Bounds(1e-6, 1e-1, is_log=True),
    "model.dropout": Bounds(0.0, 0.6),
    "model.id_dropout": Bounds(0.0, 0.5),
    "model.temperature": Bounds(0.02, 0.3, is_log=True),
})
