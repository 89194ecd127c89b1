"""What may be done to a data set before it is run: named, by a seed."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path

from benchmarks.quality import (
    cold_items,
    latest_validation,
    random_split,
    tie_shuffle,
    user_sample,
)
from benchmarks.quality.event_table import EventTable, Notes
from schema import features
from trainer.tables.files import find_files

SHUFFLE_TIES, COLD_ITEMS, TFRS = "shuffle-ties", "cold-items", "tfrs"
LATEST, SAMPLE = "latest-validation", "sample-users"
KINDS = (SHUFFLE_TIES, COLD_ITEMS, TFRS, LATEST, SAMPLE)
NOTES = "treatment.json"  # beside the tables: what was drawn


@dataclasses.dataclass(frozen=True)
class Treatment:
    """A change of the data.

    Attributes:
        kind: one of `KINDS`, "" for none.
        share: of the test items that become cold, of the train events that
            become validation events, or of the users that stay.
    """

    kind: str = ""
    share: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("", *KINDS):
            raise ValueError(
                f"a treatment is one of {', '.join(KINDS)}, got {self.kind!r}."
            )
        has_share = self.kind in (COLD_ITEMS, LATEST, SAMPLE)
        if has_share and not 0 < self.share < 1:
            raise ValueError(
                f"--{self.kind} must lie between 0 and 1, got {self.share}."
            )

    def __str__(self) -> str:
        return f"{self.kind}-{self.share:g}" if self.share else self.kind

    @property
    def split(self) -> str | None:
        """The split that it asks for; None for the data set's own."""
        return "column" if self.kind == TFRS else None

    @property
    def overrides(self) -> list[str]:
        """Settings that it asks for."""
        # The tutorial leaves seen items in, and early stopping must see what
        # is measured, on more than a tenth of the users.
        of_tutorial = ["exclude_seen=false", "validation_share=0.4"]
        return of_tutorial if self.kind == TFRS else []

    @property
    def needs_plain(self) -> bool:
        """Whether it is compared with runs on the data as they are."""
        return self.kind == COLD_ITEMS

    def write(
        self, source: Path, target: Path, *, split: str, seed: int
    ) -> None:
        """Writes the treated tables, whole or not at all; once.

        Args:
            source: folder of the tables.
            target: folder to make; one that is there is left as it is.
            split: protocol of the data set.
            seed: of the draw.

        Raises:
            ValueError: if the tables or the split do not allow it, or if
                the folder holds what was made of other data.
        """
        asked = {
            **dataclasses.asdict(self),
            "source": str(source), "split": split, "seed": seed,
        }
        if target.exists():
            _check_same(target, asked)
            return
        treated, drawn = self._apply(
            EventTable.read(source), split=split, seed=seed
        )
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        treated.write(partial)
        for table in (features.ITEMS, features.USERS, features.SCENARIOS):
            for file in find_files(table, source, None):
                shutil.copyfile(file, partial / file.name)
        notes = json.dumps({**asked, **drawn}, indent=1) + "\n"
        (partial / NOTES).write_text(notes)
        os.replace(partial, target)

    def _apply(
        self, events: EventTable, *, split: str, seed: int
    ) -> tuple[EventTable, Notes]:
        """The treated events, and what was drawn."""
        if self.kind == SHUFFLE_TIES:
            return tie_shuffle.shuffle_ties(events, seed)
        if self.kind == COLD_ITEMS:
            return cold_items.make_cold(
                events, share=self.share, split=split, seed=seed
            )
        if self.kind == LATEST:
            return latest_validation.hold_out_latest(
                events, share=self.share, split=split
            )
        if self.kind == SAMPLE:
            return user_sample.sample_users(
                events, share=self.share, seed=seed
            )
        return random_split.split_at_random(events, seed)


def _check_same(target: Path, asked: Notes) -> None:
    """Refuses treated tables of other data.

    Raises:
        ValueError: naming what differs.
    """
    notes = json.loads((target / NOTES).read_text())
    for name, value in asked.items():
        if notes.get(name) != value:
            raise ValueError(
                f"{target} was made with {name} {notes.get(name)}, and now "
                f"{value} is asked for; give another --out, or remove that "
                "folder."
            )


PLAIN = Treatment()
