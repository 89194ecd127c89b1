"""Two names of one encoder."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.pretraining.teacher import place_of


def test_a_folder_is_one_by_all_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    places = {place_of(name) for name in ("a", "./a", str(tmp_path / "b"))}
    assert places == {str((tmp_path / "a").resolve())}


def test_a_size_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    assert place_of("tiny") == "tiny"


def test_a_hub_name_stays_as_it_is() -> None:
    assert place_of("someone/something") == "someone/something"
