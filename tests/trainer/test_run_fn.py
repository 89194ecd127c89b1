from __future__ import annotations

from pathlib import Path

import pytest

from trainer.config import RunConfig
from trainer.run_fn import copy_tree, tuned


def test_what_a_tuner_found_replaces_single_settings() -> None:
    found = {"values": {"model.dropout": 0.5, "training.learning_rate": 0.01}}
    config = tuned(RunConfig(), found)
    assert (config.model.dropout, config.training.learning_rate) == (0.5, 0.01)
    assert config.model.lstm_units == RunConfig().model.lstm_units
    assert config.text == RunConfig().text


def test_nothing_found_changes_nothing() -> None:
    assert tuned(RunConfig(), None) == RunConfig()


def test_an_illegal_value_is_refused_by_the_configuration() -> None:
    with pytest.raises(ValueError, match="dropout must be at most 0.9"):
        tuned(RunConfig(), {"values": {"model.dropout": 2.0}})


def test_a_tree_is_copied_with_all_below_it(tmp_path: Path) -> None:
    source = tmp_path / "a"
    (source / "b").mkdir(parents=True)
    (source / "b" / "x").write_text("1")
    (source / "y").write_text("2")
    copy_tree(str(source), str(tmp_path / "c" / "d"))
    assert (tmp_path / "c" / "d" / "b" / "x").read_text() == "1"
    assert (tmp_path / "c" / "d" / "y").read_text() == "2"


def test_a_file_is_copied_over_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("new")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "x").write_text("old")
    copy_tree(str(tmp_path / "x"), str(tmp_path / "c" / "x"))
    assert (tmp_path / "c" / "x").read_text() == "new"
