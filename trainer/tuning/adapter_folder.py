"""What tuning has changed of an encoder, as a folder of a few MB.

    JOB/adapter/adapter.json   base, method, size
    JOB/adapter/weights.npz    the tuned weights by name

`--text-encoder JOB/adapter` puts them onto the base again.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from trainer.job import write_json
from trainer.tuning.methods import MERGED, merge, tune
from trainer.tuning.tuning import Tuning, weights_hash

_SETTINGS, _WEIGHTS = "adapter.json", "weights.npz"


@dataclasses.dataclass(frozen=True)
class Adapter:
    """Tuned weights, and what they belong to.

    Attributes:
        base: name of the encoder as `load_encoder` takes it.
        base_hash: `weights_hash` of the base.
        method, size: as of `tune`.
        weights: by the names that `tune` gives.
    """

    base: str
    base_hash: str
    method: str
    size: int | None
    weights: dict[str, np.ndarray]

    @classmethod
    def of(cls, base: str, tuning: Tuning) -> Adapter:
        """The weights as they are now."""
        values = {name: v.numpy() for name, v in tuning.weights.items()}
        return cls(base, tuning.base_hash, tuning.method, tuning.size, values)

    def save(self, folder: Path) -> None:
        """Writes the folder whole; one that is there is replaced."""
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        np.savez(partial / _WEIGHTS, **self.weights)
        settings = dataclasses.asdict(self)
        del settings["weights"]
        write_json(partial / _SETTINGS, settings)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)

    @classmethod
    def read(cls, folder: Path) -> Adapter:
        """Reads what `save` wrote.

        Raises:
            OSError: if there is no such folder.
        """
        settings = json.loads(
            (folder / _SETTINGS).read_text(encoding="utf-8")
        )
        with np.load(folder / _WEIGHTS) as weights:
            return cls(**settings, weights=dict(weights))

    def put_onto(self, bert: Any) -> None:
        """Makes a base what it was after tuning, products merged.

        Raises:
            ValueError: if the weights are not this base's.
        """
        if weights_hash(bert) != self.base_hash:
            raise ValueError(
                f"text_encoder: this adapter was tuned on another encoder "
                f"than {self.base!r} is now; bring that one back, or tune "
                "anew."
            )
        found = tune(bert, self.method, self.size)
        shapes = {name: tuple(v.shape) for name, v in found.items()}
        wanted = {name: v.shape for name, v in self.weights.items()}
        if shapes != wanted:
            raise ValueError(
                f"text_encoder: the weights of this adapter are not those of "
                f"{self.method} on {self.base!r}; save it anew."
            )
        for name, variable in found.items():
            variable.assign(self.weights[name])
        if self.method in MERGED:
            merge(bert)


def is_adapter(name: str) -> bool:
    """Whether a name is a folder that an adapter was saved in."""
    return (Path(name).expanduser() / _SETTINGS).is_file()
