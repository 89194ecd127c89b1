"""Data sets by name or by path."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality import datasets


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("amazon-beauty", "caixin-news-zh", "our-shop"):
        (tmp_path / "sets" / name).mkdir(parents=True)
    return tmp_path / "sets"


def test_a_known_name_brings_its_protocol(root: Path) -> None:
    beauty = datasets.find("amazon-beauty", root)
    assert beauty == datasets.DataSet(
        "amazon-beauty", (root / "amazon-beauty").resolve(), "leave_one_out"
    )
    assert datasets.find("caixin-news-zh", root).split == "column"


def test_another_folder_of_the_root_or_a_path_is_leave_one_out(
    root: Path,
) -> None:
    by_name = datasets.find("our-shop", root)
    by_path = datasets.find(str(root / "our-shop"), None)
    assert by_name == by_path
    assert by_name.split == "leave_one_out"


def test_the_split_can_be_another(root: Path) -> None:
    assert datasets.find("caixin-news-zh", root, "time").split == "time"
    assert datasets.find(str(root / "our-shop"), None, "time").split == "time"


def test_a_folder_here_does_not_hide_a_known_name(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "amazon-beauty").mkdir()
    monkeypatch.chdir(tmp_path)
    found = datasets.find("amazon-beauty", root)
    assert found.folder == (root / "amazon-beauty").resolve()


def test_the_root_is_the_flag_or_else_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("INTEREST_TOWERS_DATA", raising=False)
    assert datasets.data_root(None) is None
    monkeypatch.setenv("INTEREST_TOWERS_DATA", "/there")
    assert datasets.data_root(None) == Path("/there")
    assert datasets.data_root("/here") == Path("/here")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("amazon-beaty", "Did you mean amazon-beauty"),
        ("our-shp", "Did you mean our-shop"),
        ("ml-1m", "there is no folder .*ml-1m; mend --data-root"),
        ("no/such", "there is no folder no/such"),
    ],
)
def test_what_is_not_there_is_named(
    root: Path, name: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        datasets.find(name, root)


def test_a_missing_root_says_what_to_set() -> None:
    with pytest.raises(ValueError, match="--data-root.*INTEREST_TOWERS_DATA"):
        datasets.find("ml-1m", None)
