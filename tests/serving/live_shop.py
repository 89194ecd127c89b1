"""Models whose catalogue changes, and what a full rebuild answers."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from serving import signatures
from serving.live import items
from serving.live.journal import Journal
from serving.recommender import Recommender


@dataclasses.dataclass(frozen=True)
class Shop:
    """Exact versions, their twins beside them, and a journal."""

    base: Path
    twin_base: Path

    def add(self, **columns: str) -> None:
        records = items.added([columns], "the test")
        Journal(self.base).append(records)

    def remove(self, *item_ids: str) -> None:
        Journal(self.base).append(items.removed(item_ids))

    def load(self, version: int = 1) -> Recommender:
        return Recommender(self.base / str(version))

    def load_twin(self, version: int = 1) -> Recommender:
        return Recommender(self.twin_base / str(version))


def rebuilt(content, come=(), gone=()):
    """The toy that is exported anew, with and without items.

    Args:
        content: of the toy before.
        come: (id, title, category, available_from) of items at the end.
        gone: ids.
    """
    import tensorflow as tf
    import toy_model

    new = copy.deepcopy(content)
    kept = [row for row, item in enumerate(content.ids) if item not in gone]
    new.ids = [content.ids[row] for row in kept]
    new.titles = [content.titles[row] for row in kept]
    new.categories = [content.categories[row] for row in kept]
    new.available_from = [content.available_from[row] for row in kept]
    vectors = list(content.vectors[kept])
    for item_id, title, category, opened in come:
        new.ids.append(item_id)
        new.titles.append(title)
        new.categories.append(category)
        new.available_from.append(opened)
        vectors.append(np.eye(toy_model.DIM)[len(title) % toy_model.DIM])
    new.vectors = np.array(vectors, np.float32)
    model = toy_model.ToyModel(new, exclude_seen=True)

    def predict(signature, inputs):
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        answers = getattr(model, signature)(**tensors)
        return {name: value.numpy() for name, value in answers.items()}

    known = {}

    def once(signature, inputs, key):
        """The answer, computed once for each key."""
        if (signature, key) not in known:
            known[signature, key] = predict(signature, inputs)
        return known[signature, key]

    return SimpleNamespace(predict=predict, once=once)


def asked(signature, **given):
    """Inputs of a signature, blank where nothing is given."""
    arrays = {
        name: np.array(value, object if _has_text(value) else None)
        for name, value in given.items()
    }
    sizes = {"b": 1, "L": 0, "X": 0, "C": 0, "A": 0, "s": 9}
    for name, letter in (
        ("history_item_ids", "L"),
        ("candidate_item_ids", "C"),
        ("exclude_item_ids", "X"),
        ("allow_item_ids", "A"),
    ):
        if name in arrays:
            sizes["b"], sizes[letter] = arrays[name].shape
    if "item_ids" in arrays:
        sizes["b"] = len(arrays["item_ids"])
    fields = signatures.SIGNATURES[signature].inputs
    inputs = signatures.blank(signatures.known(fields, False), sizes)
    for name, value in arrays.items():
        inputs[name] = value.astype(inputs[name].dtype)
    return inputs


def _has_text(value):
    return np.array(value).dtype.kind in "US"


def answers(recommender, **given):
    """Ids that `recommend` answers to one user."""
    inputs = asked("recommend", **given)
    found = recommender.predict("recommend", inputs)["item_ids"][0]
    return [item.decode() for item in found if item]
