"""Going on from an earlier run, with vocabularies that have grown.

Every run writes its vocabularies beside its checkpoints. A later one finds
the row of each name in them: what was learnt of a name follows it to the code
that it has now, and a new name starts as a new model's would. A new item has
no residual at all, so that its vector is the one of its text.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.config import RunConfig
from trainer.job import CHECKPOINTS, write_json
from trainer.model import TwoTower
from trainer.prepare import Prepared

VOCABULARIES = "vocabularies.json"  # file in the job folder
_TEXT_ENCODER = "text_encoder"  # folder of an encoder that a run has made
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"  # how a checkpoint's keys end


def vocabularies(prepared: Prepared) -> dict[str, list[str]]:
    """The names behind the codes of a run, by vocabulary."""
    catalogue = prepared.catalogue
    return {
        "items": catalogue.item_ids,
        "categories": catalogue.categories,
        "brands": catalogue.brands,
        "event_types": prepared.event_types,
        "scenarios": prepared.scenarios,
    }


def record(
    job_dir: Path, prepared: Prepared, model: TwoTower, config: RunConfig
) -> None:
    """Writes what a later run must know of this one to go on from it."""
    has_residual = model.has_residual.numpy()
    names = zip(prepared.catalogue.item_ids, has_residual, strict=True)
    content = {
        **vocabularies(prepared),
        "items_without_residual": [name for name, has in names if not has],
        "settings": _settings(config),
    }
    write_json(job_dir / VOCABULARIES, content)


def _settings(config: RunConfig) -> dict[str, Any]:
    """The settings that decide the sizes of weights, or what text means."""
    text, model = config.text, config.model
    return {
        "embedding_dim": model.embedding_dim,
        "lstm_units": model.lstm_units,
        "num_experts": model.num_experts,
        "text_encoder": text.text_encoder,
        "train_encoder": text.train_encoder,
    }


@dataclasses.dataclass(frozen=True)
class EarlierRun:
    """A run that another one goes on from.

    Attributes:
        job_dir: its folder.
        vocabularies: names by vocabulary, in the order of their codes.
        without_residual: items that never had a train event.
        settings: those that both runs must share.
    """

    job_dir: Path
    vocabularies: dict[str, list[str]]
    without_residual: frozenset[str]
    settings: dict[str, Any]

    @classmethod
    def read(cls, job_dir: Path) -> EarlierRun:
        """Reads what `record` wrote.

        Raises:
            ValueError: if the folder holds no run that was recorded.
        """
        path = job_dir / VOCABULARIES
        if not path.exists():
            raise ValueError(
                f"warm_start is {job_dir}, which holds no {VOCABULARIES}; "
                "give the --job-dir of a run that has started to train."
            )
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = content.pop("settings")
        without = frozenset(content.pop("items_without_residual"))
        return cls(job_dir, content, without, settings)

    def check(self, config: RunConfig) -> None:
        """Refuses settings under which the weights would not fit.

        Raises:
            ValueError: names the setting, both values and the remedy.
        """
        for name, value in _settings(config).items():
            earlier = self.settings[name]
            if value != earlier:
                raise ValueError(
                    f"{name} is {value!r}, but the run in {self.job_dir}, "
                    f"which warm_start goes on from, has {earlier!r}; give "
                    f"{_flag(name, earlier)}, or train anew without "
                    "--warm-start."
                )

    def copy_encoder(self, folder: Path) -> None:
        """Takes over an encoder that was made from the earlier corpus."""
        source = self.job_dir / _TEXT_ENCODER
        if folder.exists() or not source.exists():
            return
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial)
        partial.rename(folder)

    def trained_items(self, item_ids: Sequence[str]) -> np.ndarray:
        """[items] bool: whose id residual the earlier run had learnt."""
        learnt = set(self.vocabularies["items"]) - self.without_residual
        return np.array([name in learnt for name in item_ids], bool)

    def load_into(self, model: TwoTower, prepared: Prepared) -> None:
        """Puts the best weights into a model that has its variables.

        Args:
            model: built from `prepared`.
            prepared: the data of the new run.

        Raises:
            ValueError: if the earlier run has no checkpoint.
        """
        folder = self.job_dir / CHECKPOINTS / "best"
        path = tf.train.latest_checkpoint(str(folder))
        if path is None:
            raise ValueError(
                f"{folder} holds no checkpoint; let that run finish an epoch "
                "before another one goes on from it."
            )
        _restore_dense(path, model)
        earlier = tf.train.load_checkpoint(path)
        _load_experts(earlier, model)
        now = vocabularies(prepared)
        for table in _tables(model):
            key = f"model/{table.path}/embeddings{_VALUE}"
            old = earlier.get_tensor(key)
            if old.shape[1:] == table.layer.embeddings.shape[1:]:
                names = self.vocabularies[table.vocabulary]
                moved = moved_rows(names, now[table.vocabulary], table.first)
                _move(old, table.layer.embeddings, *moved)
        _forget_untrained(model, self.trained_items(now["items"]))


def _flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}"


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
    return [
        _Table("item_tower/id_residual", item.id_residual, "items", 0),
        _Table("item_tower/category", item.category, "categories", 1),
        _Table("item_tower/brand", item.brand, "brands", 1),
        _Table("user_tower/event_type", user.event_type, "event_types", 1),
        _Table("user_tower/scenario", user.scenario, "scenarios", 1),
        _Table("user_tower/gate", user.gate, "scenarios", 1),
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


def _forget_untrained(model: TwoTower, is_trained: np.ndarray) -> None:
    """A residual that nothing has trained is random: it becomes nothing."""
    table = model.item_tower.id_residual.embeddings
    table.assign(np.where(is_trained[:, None], table.numpy(), 0.0))


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
            skip=user.skip,
        ),
    }
    if model.has_labels:
        parts["ranking_head"] = model.ranking_head
    if model.config.text.train_encoder:
        parts["bert"] = model.bert
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
