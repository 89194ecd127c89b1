"""Command lines, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.config import RunConfig
from trainer.settings import Settings, parse

FOLDERS = ["--data-dir", "logs", "--job-dir", "job"]


def refusal(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a wrong command line ends with."""
    with pytest.raises(SystemExit) as end:
        parse(argv)
    text = capsys.readouterr().err
    assert end.value.code == 2
    assert text.count("\n") == 1
    return text


def test_nothing_but_folders_gives_the_defaults() -> None:
    assert parse(FOLDERS) == Settings(
        data_dir="logs",
        job_dir="job",
        preset="base",
        config=RunConfig(),
        print_config=False,
        restart=False,
    )


def test_flags_win_over_the_file_and_that_over_the_preset(
    tmp_path: Path,
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("training: {epochs: 7}\nmodel: {lstm_units: 8}\n")
    argv = [*FOLDERS, "--preset", "smoke", "--config", str(file)]
    config = parse([*argv, "--lstm-units", "16"]).config
    assert config.model.lstm_units == 16  # flag; file 8, preset 32
    assert config.training.epochs == 7  # file; preset 12
    assert config.text.text_encoder == "tiny"  # preset; default minilm
    assert config.training.patience == 3  # default


@pytest.mark.parametrize(
    ("flag", "expected"),
    [("--exclude-seen", True), ("--no-exclude-seen", False)],
)
def test_a_switch_has_both_ways(flag: str, expected: bool) -> None:
    assert parse([*FOLDERS, flag]).config.data.exclude_seen is expected


def test_printing_needs_no_folders() -> None:
    assert parse(["--print-config"]).print_config


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["--learnig-rate", "1"], ["--learnig-rate", "mean --learning-rate?"]),
        (["--learning-rte=1"], ["--learning-rte.", "mean --learning-rate?"]),
        (["--epoch", "3"], ["unknown flag --epoch", "mean --epochs?"]),
        (["logs"], ["unexpected argument 'logs'"]),
        (["--preset", "smok"], ["smoke, base, best", "Did you mean smoke?"]),
        (["--split", "tme"], ["--split must be one of", "mean 'time'?"]),
        (["--epochs", "many"], ["--epochs", "invalid int value: 'many'"]),
        (["--epochs", "0"], ["--epochs must be at least 1, got 0."]),
        (["--learning-rate", "nan"], ["--learning-rate must be finite"]),
        (["--config", "absent.yaml"], ["absent.yaml: No such file"]),
        (["--config", "run.yml", "--epochs"], ["expected one argument"]),
    ],
)
def test_a_wrong_argument_is_named_with_the_remedy(
    argv: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = refusal([*FOLDERS, *argv], capsys)
    for part in parts:
        assert part in text


def test_missing_folders_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--job-dir missing" in refusal(["--data-dir", "logs"], capsys)


def test_a_bad_value_in_a_file_is_named_with_file_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("training: {epochs: 0}\n")
    text = refusal([*FOLDERS, "--config", str(file)], capsys)
    assert f"{file}: training.epochs must be at least 1, got 0." in text


def test_a_flag_mends_a_bad_value_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("training: {epochs: 0}\n")
    argv = [*FOLDERS, "--config", str(file), "--epochs", "4"]
    assert parse(argv).config.training.epochs == 4


def test_help_shows_meaning_default_and_range(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert "--batch-size N users per step, over all replicas" in text
    assert "latest ones (default 200; 1 to 1000)" in text
    assert "--exclude-seen, --no-exclude-seen" in text
    assert "examples: python -m trainer.task" in text
