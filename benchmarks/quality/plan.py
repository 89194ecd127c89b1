"""What is to be run: one job per data set, preset, variant and seed."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality import variants
from benchmarks.quality.datasets import DataSet
from benchmarks.quality.treatments import PLAIN, Treatment


@dataclasses.dataclass(frozen=True)
class Job:
    """One run; its name is that of all files it leaves.

    Attributes:
        data: name of the data set.
        source: its folder.
        split: `--split` of the trainer.
        treatment: what is done to the data before.
        preset, variant: names.
        overrides: `key=value` settings over the preset's.
        seed: of the run and of the treatment.
        has_baselines: whether baselines are ranked beside the model.
    """

    data: str
    source: str
    split: str
    treatment: Treatment
    preset: str
    variant: str
    overrides: tuple[str, ...]
    seed: int
    has_baselines: bool

    @property
    def name(self) -> str:
        """Tells jobs of one folder apart; fit for a file."""
        data = self.data
        if self.treatment != PLAIN:
            data = f"{data}+{self.treatment}"
        variant = re.sub(r"[^\w.+=,-]", "_", self.variant)
        return f"{data}--{self.preset}--{variant}--seed{self.seed}"

    def data_dir(self, out: Path) -> Path:
        """Where the tables of this run are, or will be once treated."""
        if self.treatment == PLAIN:
            return Path(self.source)
        folder = f"{self.data}+{self.treatment}-seed{self.seed}"
        return out / "data" / folder

    def settings(self) -> list[str]:
        """The trainer's flags that decide what comes out; no paths."""
        return [
            "--preset", self.preset,
            "--split", self.treatment.split or self.split,
            "--seed", str(self.seed),
            *variants.as_flags(
                [*self.treatment.overrides, *self.overrides]
            ),
        ]

    def arguments(self, out: Path, text_cache: Path) -> list[str]:
        """The trainer's whole command line."""
        return [
            "--data-dir", str(self.data_dir(out)),
            "--job-dir", str(out / "jobs" / self.name),
            "--text-cache", str(text_cache),
            *self.settings(),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Job:
        """The inverse of `as_json`."""
        fields = dict(content)
        fields["treatment"] = Treatment(**fields["treatment"])
        fields["overrides"] = tuple(fields["overrides"])
        return cls(**fields)


def make(
    data: Sequence[DataSet],
    *,
    presets: Sequence[str],
    names: Sequence[str],
    extra: Sequence[str],
    seeds: Sequence[int],
    treatment: Treatment,
) -> list[Job]:
    """All jobs, in an order in which every data set gets its first run early.

    Args:
        data: data sets.
        presets: names of presets.
        names: of variants; the first of them gets the baselines.
        extra: `key=value` settings of every run; they become part of the
            variant's name.
        seeds: of the runs.
        treatment: of the data; one that is compared with the data as they
            are brings those runs too.

    Raises:
        ValueError: if a variant is unknown.
    """
    treatments = [treatment]
    if treatment.needs_plain:
        treatments = [PLAIN, treatment]
    return [
        Job(
            data=each.name,
            source=str(each.folder),
            split=each.split,
            treatment=kind,
            preset=preset,
            variant="+".join([name, *extra]),
            overrides=(*variants.overrides(name), *extra),
            seed=seed,
            has_baselines=name == names[0],
        )
        for preset in presets
        for name in names
        for seed in seeds
        for each in data
        for kind in treatments
    ]
