"""Going on from an earlier run, with vocabularies that have grown.

Every run writes its vocabularies beside its checkpoints. A later one finds
the row of each name in them: what was learnt of a name follows it to the code
that it has now, and a new name starts as a new model's would. A new item has
no residual at all, so that its vector is the one of its text.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
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
from trainer.template_setting import NONE
from trainer.weights import carry_weights, keep_id_parts

VOCABULARIES = "vocabularies.json"  # file in the job folder
_TEXT_ENCODER = "text_encoder"  # folder of an encoder that a run has made
_OF_TUNING = ("tune", "tune_size")
_FORMERLY = {"behaviour_text": NONE, "tune": "frozen", "tune_size": None}


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
    content = {
        **vocabularies(prepared),
        "id_trust": model.id_trust.numpy().tolist(),
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
        "tune": text.tune,
        "tune_size": text.tune_size,
        "behaviour_text": text.behaviour_text,
    }


@dataclasses.dataclass(frozen=True)
class EarlierRun:
    """A run that another one goes on from.

    Attributes:
        job_dir: its folder.
        vocabularies: names by vocabulary, in the order of their codes.
        trusted: how much the id of each item counted, in their order.
        settings: those that both runs must share.
    """

    job_dir: Path
    vocabularies: dict[str, list[str]]
    trusted: list[float]
    settings: dict[str, Any]

    @classmethod
    def read(cls, job_dir: Path) -> EarlierRun:
        """Reads what `record` wrote.

        Raises:
            ValueError: if the folder holds no run that was recorded, or one
                of an earlier release whose encoder was trained.
        """
        path = job_dir / VOCABULARIES
        if not path.exists():
            raise ValueError(
                f"warm_start is {job_dir}, which holds no {VOCABULARIES}; "
                "give the --job-dir of a run that has started to train."
            )
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = content.pop("settings")
        if settings.pop("train_encoder", False):
            raise ValueError(
                f"warm_start is {job_dir}, whose encoder an earlier release "
                "has trained and kept in another way; train anew without "
                "--warm-start."
            )
        # To earlier releases an id counted in full or not at all.
        without = set(content.pop("items_without_residual", ()))
        trusted = content.pop("id_trust", None) or [
            float(name not in without) for name in content["items"]
        ]
        return cls(job_dir, content, trusted, settings)

    @property
    def is_frozen(self) -> bool:
        """Whether its text encoder stayed as it was."""
        return self._all_settings["tune"] == "frozen"

    @property
    def _all_settings(self) -> dict[str, Any]:
        # Runs of earlier releases lack settings that had no other value.
        return {**_FORMERLY, **self.settings}

    def check(self, config: RunConfig) -> None:
        """Refuses settings under which the weights would not fit.

        An encoder that was frozen may be tuned from here on: every way of
        tuning starts as its base.

        Raises:
            ValueError: names the setting, both values and the remedy.
        """
        settings = self._all_settings
        is_free = _OF_TUNING if self.is_frozen else ()
        for name, value in _settings(config).items():
            earlier = settings[name]
            if value != earlier and name not in is_free:
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

    def id_trust(self, item_ids: Sequence[str]) -> np.ndarray:
        """[items] float32, how much an item's id counted in the earlier run."""
        names = self.vocabularies["items"]
        trust = dict(zip(names, self.trusted, strict=True))
        return np.array([trust.get(name, 0.0) for name in item_ids], np.float32)

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
        names = (self.vocabularies, vocabularies(prepared))
        carry_weights(path, model, *names)
        items = prepared.catalogue.item_ids
        keep_id_parts(model, self.id_trust(items))


def _flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {shlex.quote(str(value))}"
