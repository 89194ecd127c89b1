"""Weights of one model put into another whose vocabularies differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.model import TwoTower

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"  # how a checkpoint's keys end


@dataclasses.dataclass(frozen=True)
class _Table:
    """An embedding whose rows are the names of a vocabulary.

    Attributes:
        path: of the layer, from the model.
        layer: the embedding.
        vocabulary: its name.
        first: the row of the first name; rows before it are for no name.
    """

    path: str
    layer: tf.keras.layers.Embedding
    vocabulary: str
    first: int


def _tables(model: TwoTower) -> list[_Table]:
    item, user = model.item_tower, model.user_tower
    head = model.ranking_head
    of_head = [_Table("ranking_head/scenario", head.scenario, "scenarios", 1)]
    return [
        _Table("item_tower/id_residual", item.id_residual, "items", 0),
        _Table("item_tower/category", item.category, "categories", 1),
        _Table("item_tower/brand", item.brand, "brands", 1),
        _Table("user_tower/event_type", user.event_type, "event_types", 1),
        _Table("user_tower/scenario", user.scenario, "scenarios", 1),
        _Table("user_tower/gate", user.gate, "scenarios", 1),
        *(of_head if model.has_labels else []),
    ]


def moved_rows(
    old: Sequence[str], new: Sequence[str], first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a table before and after, for all names that are in both.

    Args:
        old, new: names in the order of their codes.
        first: row of the first name; the rows before it stay where they are.

    Example:
        >>> moved_rows(["a", "b"], ["b", "c", "a"], first=1)
        (array([0, 2, 1]), array([0, 1, 3]))
    """
    row_of = {name: row for row, name in enumerate(old, first)}
    kept = [
        (row_of[name], row)
        for row, name in enumerate(new, first)
        if name in row_of
    ]
    pairs = [(row, row) for row in range(first)] + kept
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def _move(
    old: np.ndarray, table: tf.Variable, source: np.ndarray, target: np.ndarray
) -> None:
    values = table.numpy()
    values[target] = old[source]
    table.assign(values)


def keep_id_parts(model: TwoTower, earlier: np.ndarray) -> None:
    """Lets each item's id say what it said, though it counts for more now.

    What nothing has trained is random: it becomes nothing.

    Args:
        model: with the residuals of the earlier run.
        earlier: [items] float32, how much each counted there.
    """
    table = model.item_tower.id_residual.embeddings
    share = tf.math.divide_no_nan(earlier, model.id_trust)
    table.assign(tf.cast(share, table.dtype)[:, None] * table)


def _restore_dense(path: str, model: TwoTower) -> None:
    """Restores all weights that no vocabulary sizes."""
    item, user = model.item_tower, model.user_tower
    node = tf.train.Checkpoint
    parts = {
        "item_tower": node(text=item.text),
        "user_tower": node(
            gap=user.gap,
            start=user.start,
            profile=user.profile,
            lstm=user.lstm,
            interests=user.interests,
        ),
    }
    if user.behaviour is not None:
        parts["user_tower"].behaviour = user.behaviour
    if model.has_labels:
        head = model.ranking_head
        parts["ranking_head"] = node(
            hidden=head.hidden, output_layer=head.output_layer,
            slope=head.slope, offset=head.offset,
        )
    if model.config.text.tunes_encoder:
        parts["tuned_weights"] = model.tuned_weights
    node(model=node(**parts)).restore(path).expect_partial()


def _load_experts(earlier: Any, model: TwoTower) -> None:
    """Copies the experts, also where there was one and are several, or back.

    There is one expert where there is no scenario. Several that come of one
    are copies of it; one that comes of several is their mixture for an
    unknown scenario: either way that scenario's queries stay the same.
    """
    tower = model.user_tower
    gate = earlier.get_tensor(f"model/user_tower/gate/embeddings{_VALUE}")[0]
    weights = np.exp(gate - gate.max())
    for name in ("kernel", "bias"):
        old = earlier.get_tensor(f"model/user_tower/experts/{name}{_VALUE}")
        if len(gate) != tower.num_experts:
            each = old.reshape(*old.shape[:-1], len(gate), tower.dim)
            mixed = np.einsum("...ed,e->...d", each, weights / weights.sum())
            old = np.tile(mixed, tower.num_experts)
        getattr(tower.experts, name).assign(old)


def carry_weights(
    path: str,
    model: TwoTower,
    old: Mapping[str, Sequence[str]],
    new: Mapping[str, Sequence[str]],
) -> None:
    """Restores a model, row by row where a vocabulary decides the rows.

    Args:
        path: of the checkpoint.
        model: with its variables; rows of new names stay as they are.
        old, new: names by vocabulary, of the checkpoint and of the model.
    """
    _restore_dense(path, model)
    earlier = tf.train.load_checkpoint(path)
    _load_experts(earlier, model)
    for table in _tables(model):
        key = f"model/{table.path}/embeddings{_VALUE}"
        if not earlier.has_tensor(key):  # of a run that had no labels
            continue
        rows = earlier.get_tensor(key)
        # Gates have another width where there was one expert.
        if rows.shape[1:] == table.layer.embeddings.shape[1:]:
            names = old[table.vocabulary], new[table.vocabulary]
            source, target = moved_rows(*names, table.first)
            _move(rows, table.layer.embeddings, source, target)
