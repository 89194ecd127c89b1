"""An encoder that is being tuned: what of it is trained."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np

from trainer.tuning.methods import DEFAULT_SIZES, tune
from trainer.tuning.rank_allocation import RankAllocation, Weights, ranks

# Peak step sizes: weights that know a language, and what stands beside them,
# are moved least; prefixes, whose gates start shut, as much as the towers.
_RATE, _PREFIX_RATE = 1e-4, 2e-3


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The weights that are trained, and how they came to be.

    Attributes:
        method, size: as of `tune`.
        base_hash: `weights_hash` of the encoder before.
        weights: to train, by name.
    """

    method: str
    size: int | None
    base_hash: str
    weights: Weights

    @classmethod
    def start(cls, bert: Any, method: str, size: int | None) -> Tuning:
        """Changes an encoder in place; says how large the share is.

        Raises:
            ValueError: if the encoder cannot be tuned that way.
        """
        base_hash = weights_hash(bert)
        weights = tune(bert, method, size)
        trained, total = count(weights.values()), count(bert.variables)
        print(
            f"tuning {method}: {trained:,} of {total:,} encoder weights "
            f"({trained / total:.2%})"
        )
        return cls(method, size, base_hash, weights)

    @property
    def learning_rate(self) -> float:
        """Peak step size that suits the method."""
        return _PREFIX_RATE if self.method == "prefix" else _RATE

    def allocation(self, steps: int) -> RankAllocation | None:
        """What shares the rank out while training; None of other methods.

        Args:
            steps: of the whole training.
        """
        if self.method != "adalora":
            return None
        size = self.size or DEFAULT_SIZES[self.method]
        return RankAllocation(self.weights, size, steps)

    def ranks(self) -> dict[str, int]:
        """What each kernel has got of the rank; empty of other methods."""
        return ranks(self.weights) if self.method == "adalora" else {}


def count(variables: Any) -> int:
    """Numbers in all variables."""
    return sum(int(np.prod(variable.shape)) for variable in variables)


def weights_hash(bert: Any) -> str:
    """Names a model's weights.

    The pooler is left out: vectors do not come of it, and a checkpoint may
    lack it, so that it is random.
    """
    digest = hashlib.sha256()
    for weight in bert.weights:
        if "/pooler/" not in weight.name:
            digest.update(weight.numpy().tobytes())
    return digest.hexdigest()[:16]
