"""Ablations by name: each changes a few settings of the trainer.

To add one, write what it changes; keys are fields of `trainer.config`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from trainer.settings.options import did_you_mean
from trainer.text_config import TuneName

FULL = "full"  # the preset as it is

VARIANTS: Mapping[str, Mapping[str, str]] = {
    FULL: {},
    # What an item vector is the sum of.
    "text-off": {"item_parts": "categories,brand,id"},
    "categories-off": {"item_parts": "text,brand,id"},
    "brand-off": {"item_parts": "text,categories,id"},
    "id-off": {"item_parts": "text,categories,brand"},
    "text-only": {"item_parts": "text"},
    "text-and-id": {"item_parts": "text,id"},
    "id-only": {"item_parts": "id"},
    # What a query holds beside the LSTM's state.
    "last-off": {"interests": "short,long"},
    "short-off": {"interests": "last,long"},
    "long-off": {"interests": "last,short"},
    "last-only": {"interests": "last"},
    "lstm-only": {"interests": ""},
    "id-only-lstm-only": {"item_parts": "id", "interests": ""},
    # How it is trained.
    "id-dropout-off": {"id_dropout": "0"},
    "sampled-negatives": {"full_softmax_items": "0"},
    "in-batch-negatives": {"full_softmax_items": "0", "num_negatives": "0"},
    "ranking-off": {"ranking_weight": "0"},
    "history-10": {"max_history": "10"},
    # What of the text encoder is trained.
    **{
        f"tune-{method.replace('_', '-')}": {"tune": method}
        for method in get_args(TuneName) if method != "frozen"
    },
}


def overrides(name: str) -> list[str]:
    """`key=value` of each setting that a variant changes.

    Raises:
        ValueError: if there is no such variant.
    """
    if name not in VARIANTS:
        raise ValueError(
            f"--variant must be one of {', '.join(VARIANTS)}, got {name!r}."
            f"{did_you_mean(name, VARIANTS)}"
        )
    return [f"{key}={value}" for key, value in VARIANTS[name].items()]


def as_flags(pairs: Sequence[str]) -> list[str]:
    """`key=value` pairs as flags of the trainer; later ones win.

    Raises:
        ValueError: if a pair has no `=`.

    Example:
        >>> as_flags(["lstm_units=64", "exclude_seen=true"])
        ['--lstm-units=64', '--exclude-seen']
    """
    flags = []
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ValueError(
                f"--set {pair!r} is not key=value, such as epochs=1."
            )
        name = key.strip().removeprefix("--").replace("_", "-")
        if value.lower() in ("true", "false"):
            flags.append(f"--{'' if value.lower() == 'true' else 'no-'}{name}")
        else:
            flags.append(f"--{name}={value}")
    return flags
