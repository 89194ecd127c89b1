"""Users are asked for with all that they did, learnt from or not."""

from __future__ import annotations

from pathlib import Path

import logs
import numpy as np
import pytest

from benchmarks.quality.cold_items import make_cold
from benchmarks.quality.event_table import EventTable
from benchmarks.quality.whole_histories import with_whole_histories
from trainer.behaviour import TEST, TRAIN, VALIDATION
from trainer.config import DataConfig, RunConfig
from trainer.evaluation import Queries
from trainer.prepare import Prepared, prepare
from trainer.tables import load_dataset

# "y" and "w" are somebody's last; one of them is made cold. User c comes
# first in the file only while its event of "y" is there.
LINES = [
    ("c", "y", 1), ("a", "x", 1), ("a", "y", 2), ("a", "z", 3), ("a", "x", 4),
    ("a", "w", 5), ("b", "w", 1), ("b", "z", 2), ("b", "x", 3), ("b", "y", 4),
    ("c", "z", 2), ("c", "w", 3), ("c", "x", 4), ("c", "w", 5), ("d", "y", 1),
]
CONFIG = RunConfig(data=DataConfig(split="leave_one_out"))


def read(folder: Path, events: EventTable) -> tuple[Prepared, list[str]]:
    logs.write_log(folder, events, "wxyz")
    dataset = load_dataset(
        str(folder), CONFIG.data, rejects_dir=folder / "rejects", now=1_000
    )
    return prepare(dataset, CONFIG), dataset.events.user_ids


@pytest.fixture(params=["w", "y"])
def cold(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def kept(cold: str) -> EventTable:
    every = (
        make_cold(logs.table(LINES), share=0.4, split="leave_one_out", seed=s)
        for s in range(20)
    )
    return next(kept for kept, notes in every if notes["items"] == [cold])


@pytest.fixture
def fitted(kept: EventTable, tmp_path: Path) -> tuple[Prepared, list[str]]:
    return read(tmp_path / "kept", kept)


@pytest.fixture
def asked(
    fitted: tuple[Prepared, list[str]], cold: str, tmp_path: Path
) -> tuple[Prepared, Queries]:
    whole = read(tmp_path / "whole", logs.table(LINES))
    return with_whole_histories(
        *fitted, *whole, cold=[cold], exclude_seen=True
    )


def names(prepared: Prepared, chosen: np.ndarray | slice) -> str:
    codes = prepared.sequences.item[chosen]
    return "".join(prepared.catalogue.item_ids[code] for code in codes)


def test_each_user_is_asked_with_all_events_before(fitted, asked) -> None:
    prepared, queries = asked
    starts = prepared.sequences.starts
    found = {
        fitted[1][user]: (
            names(prepared, slice(starts[user], target)),
            names(prepared, slice(target, target + 1)),
        )
        for user, target in zip(queries.user, queries.targets, strict=True)
    }
    assert found == {
        "a": ("xyzx", "w"), "b": ("wzx", "y"), "c": ("yzwx", "w")
    }


def test_gaps_are_those_of_the_whole_history(fitted, asked) -> None:
    sequences = asked[0].sequences
    seconds = np.diff(sequences.timestamp, prepend=0)
    is_first = np.isin(np.arange(len(seconds)), sequences.starts)
    assert (seconds[~is_first] == 1).all()
    assert len(set(sequences.gap[~is_first].tolist())) == 1


def test_what_was_learnt_from_is_what_is_counted(fitted, asked, cold) -> None:
    prepared = asked[0]
    for split in (TRAIN, VALIDATION, TEST):
        rows = prepared.sequences.split == split
        assert names(prepared, rows) == names(
            fitted[0], fitted[0].sequences.split == split
        )
    trained = names(prepared, prepared.sequences.split == TRAIN)
    assert cold not in trained
    assert len(trained) > 0


@pytest.mark.parametrize(
    "gone", [{("b", "z", 2)}, {line for line in LINES if line[0] == "b"}]
)
def test_other_tables_are_refused(fitted, cold, tmp_path, gone) -> None:
    changed = [line for line in LINES if line not in gone]
    whole = read(tmp_path / "other", logs.table(changed))
    with pytest.raises(ValueError, match="were the tables changed"):
        with_whole_histories(*fitted, *whole, cold=[cold], exclude_seen=True)
