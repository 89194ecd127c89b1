"""Sizes of BERTs that are made here, by name."""

from __future__ import annotations


def _size(layers: int, width: int) -> dict[str, int]:
    """A BERT with heads of 64 and four times the width between layers."""
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": width // 64,
        "intermediate_size": 4 * width,
        "max_position_embeddings": 512,
    }


SIZES = {
    "tiny": _size(2, 128),
    "small": _size(4, 256),
    "medium": _size(8, 512),
    "base": _size(12, 768),
}


def is_made_here(name: str) -> bool:
    """Whether a name stands for a new encoder: a size, or a `.json` file."""
    return name in SIZES or name.endswith(".json")
