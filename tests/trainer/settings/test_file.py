"""The YAML of a run: read, refused, written."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from trainer.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from trainer.settings import parse
from trainer.settings.file import read_yaml, to_yaml
from trainer.text_config import TextConfig


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "run.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_what_is_printed_can_be_read_back(tmp_path: Path) -> None:
    config = RunConfig(
        data=DataConfig(events="a b/*.csv", split="column", exclude_seen=False),
        text=TextConfig(text_encoder="模型: #1", text_cache="null"),
        model=ModelConfig(dropout=0.0),
        training=TrainingConfig(learning_rate=1e-7, seed=12),
    )
    file = written(tmp_path, to_yaml(config))
    assert parse(["--print-config", "--config", file]).config == config


def test_everything_is_printed_with_its_meaning() -> None:
    text = to_yaml(RunConfig())
    assert yaml.safe_load(text) == dataclasses.asdict(RunConfig())
    assert "# users per step, over all replicas (default 64;" in text
    assert max(map(len, text.splitlines())) <= 80


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read_yaml(written(tmp_path, "# all as it is\n")) == {}


def test_an_empty_section_changes_nothing(tmp_path: Path) -> None:
    assert read_yaml(written(tmp_path, "model:\n")) == {}


def test_a_power_of_ten_is_a_number(tmp_path: Path) -> None:
    file = written(tmp_path, "training: {learning_rate: 1e-3}")
    assert read_yaml(file) == {"training.learning_rate": 0.001}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainig: {epochs: 1}", "section 'trainig'. Did you mean training?"),
        ("epochs: 1", "section 'epochs'. Did you mean training.epochs?"),
        ("training: {epoch: 1}", "training.epoch. Did you mean training.epo"),
        ("model: {epochs: 1}", "model.epochs. Did you mean training.epochs?"),
        ("training: {7: 1}", "unknown setting training.7."),
        ("[epochs]", "the file must hold `name: value` lines"),
        ("training: 3", "training must hold `name: value` lines, got 3"),
        ("model: {dropout: 0, dropout: 1}", "'dropout' stands there twice"),
        ("model: {dropout: [", "line 1"),
        ("model: !!python/object:os.system {}", "could not determine"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(
    text: str, message: str, tmp_path: Path
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ValueError) as error:
        read_yaml(file)
    assert str(error.value).startswith(f"{file}: ")
    assert message in str(error.value)


def test_a_binary_file_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="run.yaml: "):
        read_yaml(str(file))
