"""Settings of SASRec: frozen, and checked when they are made."""

from __future__ import annotations

import dataclasses

from trainer.fields import check_fields, option


@dataclasses.dataclass(frozen=True)
class SasRecConfig:
    """Sizes of the model and how it is fitted."""

    dim: int = option(128, "width of items and states", low=4)
    blocks: int = option(2, "layers of self-attention", low=1)
    heads: int = option(2, "heads of attention; they share the width", low=1)
    dropout: float = option(
        0.5, "share of units dropped after the embedding, in attention and "
        "in both halves of a block", low=0.0, high=0.9,
    )
    max_length: int = option(
        50, "events that are read, the latest ones", low=1
    )
    learning_rate: float = option(0.001, "step size of Adam", low=1e-7)
    batch_size: int = option(128, "users per step", low=1)
    epochs: int = option(200, "passes over the users at most", low=1)
    patience: int = option(
        10, "epochs without a better validation NDCG@10 before training stops",
        low=1,
    )
    seed: int = option(0, "seed of every random draw", low=0)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.dim % self.heads:
            raise ValueError(
                f"{self.heads} heads cannot share a width of {self.dim}; "
                "choose a number that divides it."
            )
