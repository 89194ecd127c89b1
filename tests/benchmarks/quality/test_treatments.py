"""Treated data sets are written whole, once, and can be read."""

from __future__ import annotations

import json
from pathlib import Path

import logs
import pytest

from benchmarks.quality.treatments import NOTES, Treatment
from trainer.config import DataConfig
from trainer.tables import load_dataset

LINES = [(f"u{n % 6}", f"i{n % 9}", n // 12) for n in range(60)]
ITEMS = [f"i{n}" for n in range(9)]
KINDS = [
    Treatment("shuffle-ties"), Treatment("cold-items", 0.4), Treatment("tfrs"),
    Treatment("sample-users", 0.5),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    logs.write_log(tmp_path / "source", logs.table(LINES), ITEMS)
    users = "user_id,profile\nu0,likes x\n"
    (tmp_path / "source" / "users.csv").write_text(users)
    return tmp_path / "source"


def write(kind: Treatment, source: Path, target: Path, seed: int = 3) -> None:
    kind.write(source, target, split="leave_one_out", seed=seed)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_trainer_reads_what_is_written(
    kind: Treatment, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "treated"
    write(kind, source, target)
    dataset = load_dataset(
        str(target), DataConfig(), rejects_dir=tmp_path / "rejects", now=1_000
    )
    notes = json.loads((target / NOTES).read_text())
    assert notes["kind"] == kind.kind
    assert notes["seed"] == 3
    removed = len(LINES) - len(dataset.events.item)
    half_of_users = len(LINES) // 2  # ten events each
    assert removed == {
        "cold-items": notes.get("removed_events"),
        "sample-users": half_of_users,
    }.get(kind.kind, 0)
    assert (removed > 0) == (kind.kind in ("cold-items", "sample-users"))
    assert dataset.items.ids == ITEMS
    assert dataset.users.ids == ["u0"]
    assert not (tmp_path / "rejects").exists()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_seed_decides(
    kind: Treatment, source: Path, tmp_path: Path
) -> None:
    contents = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write(kind, source, tmp_path / name, seed)
        contents.append((tmp_path / name / "events.csv.gz").read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_a_treated_folder_is_left_alone(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "treated"
    write(KINDS[0], source, target)
    before = (target / "events.csv.gz").stat().st_mtime_ns
    write(KINDS[0], source, target)
    assert (target / "events.csv.gz").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "other", [{"split": "column"}, {"seed": 4}, {"source": "elsewhere"}],
    ids=str,
)
def test_a_folder_that_was_made_otherwise_is_refused(
    source: Path, tmp_path: Path, other: dict
) -> None:
    asked = {"split": "leave_one_out", "seed": 3, "source": source}
    KINDS[0].write(target=tmp_path / "treated", **asked)
    asked |= other
    asked["source"] = Path(asked["source"])
    with pytest.raises(ValueError, match="give another --out"):
        KINDS[0].write(target=tmp_path / "treated", **asked)


def test_an_unknown_treatment_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'shuffle'"):
        Treatment("shuffle")


def test_a_failed_treatment_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    logs.table(LINES).write(tmp_path / "source")  # no items
    with pytest.raises(ValueError, match="items"):
        write(KINDS[0], tmp_path / "source", tmp_path / "treated")
    assert not (tmp_path / "treated").exists()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_that_makes_no_sense_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Treatment("cold-items", share)


def test_names_tell_treatments_apart() -> None:
    assert [str(kind) for kind in (Treatment(), *KINDS)] == [
        "", "shuffle-ties", "cold-items-0.4", "tfrs",
        "sample-users-0.5",
    ]
