"""Which weights of an encoder are trained, by the name of a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.tuning.layers import (
    AdapterDense,
    LoraDense,
    PrefixAttention,
    SvdDense,
)
from trainer.tuning.rank_allocation import PARTS, Weights, start_rank

# What `tune_size` is of each method, where it is not said.
DEFAULT_SIZES = {
    "last_n": 2, "lora": 8, "adalora": 4, "adapter": 64, "prefix": 16,
}
MERGED = ("lora", "adalora")  # whose products end inside the weights
_PROJECTIONS = ("query", "key", "value")


def tune(bert: Any, method: str, size: int | None = None) -> Weights:
    """Makes an encoder's own forward pass the one that is tuned.

    Args:
        bert: a TensorFlow BERT, RoBERTa or ELECTRA; changed in place, and
            equal to what it was until the weights are trained.
        method: of `trainer.text_config.TuneName`.
        size: layers of `last_n`, rank of `lora`, mean rank of `adalora` in
            the end, width of `adapter`, length of `prefix`.

    Returns:
        The weights to train, by names that are the same in every process.

    Raises:
        ValueError: if the encoder is built another way, or has fewer layers.
    """
    if method == "frozen":
        return {}
    if _is_wrapped(bert):
        raise ValueError(
            "tune: this text encoder carries an adapter or a prefix already; "
            "use it with --tune frozen, or tune its base."
        )
    count = size or DEFAULT_SIZES.get(method, 0)
    return _METHODS[method](bert, count)


def blocks(bert: Any) -> list[Any]:
    """The transformer's layers, first to last.

    Raises:
        ValueError: if they are not where BERT has them.
    """
    body = getattr(bert, bert.base_model_prefix, None)
    layers = getattr(getattr(body, "encoder", None), "layer", None)
    if layers is None or not hasattr(layers[0], "bert_output"):
        raise ValueError(
            f"tune: a {bert.config.model_type} cannot be tuned in part; give "
            "a BERT, RoBERTa or ELECTRA, or --tune full or frozen."
        )
    return list(layers)


def merge(bert: Any) -> None:
    """Puts products into the weights they stand beside, in place."""
    for block in blocks(bert):
        for owner, name in _kernels(block).values():
            layer = getattr(owner, name)
            if isinstance(layer, LoraDense | SvdDense):
                setattr(owner, name, layer.merge())


def _kernels(block: Any) -> dict[str, tuple[Any, str]]:
    """All six of a layer, each by name: who has it as which attribute."""
    attention = block.attention.self_attention
    return {
        **{name: (attention, name) for name in _PROJECTIONS},
        "attention": (block.attention.dense_output, "dense"),
        "inner": (block.intermediate, "dense"),
        "output": (block.bert_output, "dense"),
    }


def _is_wrapped(bert: Any) -> bool:
    """Whether an adapter or a prefix that stays is part of the encoder."""
    kept = (AdapterDense, PrefixAttention)
    return any(isinstance(module, kept) for module in bert.submodules)


def _full(bert: Any, _: int) -> Weights:
    return _named(bert.trainable_variables)


def _bitfit(bert: Any, _: int) -> Weights:
    """All biases (Ben Zaken et al., arXiv 2106.10199)."""
    blocks(bert)
    biases = [
        variable
        for variable in bert.trainable_variables
        if variable.name.endswith(("bias:0", "beta:0"))
    ]
    return _named(biases)


def _last_n(bert: Any, count: int) -> Weights:
    layers = blocks(bert)
    if count > len(layers):
        raise ValueError(
            f"tune_size is {count}, but this encoder has {len(layers)} "
            "layers; lower it."
        )
    last = [v for layer in layers[-count:] for v in layer.trainable_variables]
    return _named(last)


def _lora(bert: Any, rank: int) -> Weights:
    weights: Weights = {}
    for number, block in enumerate(blocks(bert)):
        attention = block.attention.self_attention
        for name in _PROJECTIONS:
            layer = LoraDense(getattr(attention, name), rank)
            setattr(attention, name, layer)
            weights[f"{number}/{name}/down"] = layer.down
            weights[f"{number}/{name}/up"] = layer.up
    return weights


def _adalora(bert: Any, size: int) -> Weights:
    weights: Weights = {}
    for number, block in enumerate(blocks(bert)):
        for kernel, (owner, name) in _kernels(block).items():
            layer = SvdDense(getattr(owner, name), start_rank(size))
            setattr(owner, name, layer)
            for part in PARTS:
                weights[f"{number}/{kernel}/{part}"] = getattr(layer, part)
    return weights


def _adapter(bert: Any, width: int) -> Weights:
    weights: Weights = {}
    for number, block in enumerate(blocks(bert)):
        places = {
            "attention": block.attention.dense_output,
            "output": block.bert_output,
        }
        for name, place in places.items():
            layer = place.dense = AdapterDense(place.dense, width)
            for part in ("down", "down_bias", "up", "up_bias"):
                weights[f"{number}/{name}/{part}"] = getattr(layer, part)
    return weights


def _prefix(bert: Any, length: int) -> Weights:
    weights: Weights = {}
    for number, block in enumerate(blocks(bert)):
        layer = PrefixAttention(block.attention.self_attention, length)
        block.attention.self_attention = layer
        for part in ("keys", "values", "gates"):
            weights[f"{number}/{part}"] = getattr(layer, part)
    return weights


_METHODS: dict[str, Callable[[Any, int], Weights]] = {
    "full": _full,
    "bitfit": _bitfit,
    "last_n": _last_n,
    "lora": _lora,
    "adalora": _adalora,
    "adapter": _adapter,
    "prefix": _prefix,
}


def _named(variables: list[tf.Variable]) -> Weights:
    """By their names without the model's own, which counts models up.

    The pooler is left out: vectors are means of the tokens.
    """
    return {
        variable.name.partition("/")[2].removesuffix(":0"): variable
        for variable in variables
        if "/pooler/" not in variable.name
    }
