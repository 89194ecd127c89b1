from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.command_line import make_parser, read_config
from pipeline.config import PipelineConfig


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for table in ("events", "items"):
        (folder / f"{table}.csv").touch()
    return folder


def read(data: Path, *flags: str, root: str = "") -> PipelineConfig:
    parser = make_parser("pipeline.some_runner", "Runs it.", "  none")
    root = root or str(data.parent / "root")
    named = ["--data-dir", str(data), "--pipeline-root", root]
    return read_config(parser, [*named, *flags])[1]


def refused(
    capsys: pytest.CaptureFixture[str], data: Path, *flags: str
) -> str:
    """The one line that a command ends with."""
    with pytest.raises(SystemExit) as stopped:
        read(data, *flags)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_defaults(data: Path) -> None:
    config = read(data)
    root = data.parent / "root"
    assert config.sources == {"events": "events.csv", "items": "items.csv"}
    assert config.serving_dir == f"{root}/serving"
    assert config.beam_args == ()
    assert (config.window_spans, config.tuner_trials) == (30, 0)
    assert (config.thresholds, config.force_bless_reason) == ("", "")
    assert config.warm_start and config.enable_cache
    assert not config.allow_drift


def test_every_flag_gets_to_where_it_belongs(data: Path) -> None:
    thresholds = data / "thresholds.json"
    thresholds.write_text('{"at_least": {}}')
    config = read(
        data, "--serving-dir", "/srv", "--beam-arg=--a=1", "--beam-arg=--b",
        "--window-spans", "7", "--serving-events", "served.csv",
        "--thresholds", str(thresholds), "--allow-drift", "--no-warm-start",
        "--tuner-trials", "3", "--force-bless", "a demo", "--no-cache",
    )
    assert config.serving_dir == "/srv"
    assert config.beam_args == ("--a=1", "--b")
    assert (config.window_spans, config.tuner_trials) == (7, 3)
    assert config.serving_events == "served.csv"
    assert config.thresholds == '{"at_least": {}}'
    assert config.force_bless_reason == "a demo"
    assert config.allow_drift
    assert not config.warm_start and not config.enable_cache


def test_flags_of_a_training_run_are_taken(data: Path) -> None:
    config = read(
        data, "--split", "leave_one_out", "--epochs", "2", "--events",
        "events/{SPAN}/*.csv",
    )
    assert config.run.data.split == "leave_one_out"
    assert config.run.training.epochs == 2
    assert config.sources["events"] == "events/{SPAN}/*.csv"


def test_runs_of_a_root_share_one_text_cache(data: Path) -> None:
    root = data.parent / "root"
    assert read(data).run.text.text_cache == str(root / "text_cache")
    said = read(data, "--text-cache", "/cache")
    assert said.run.text.text_cache == "/cache"
    assert read(data, root="gs://bucket/root").run.text.text_cache is None


def test_unknown_flags_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--no-such-flag" in refused(capsys, data, "--no-such-flag", "1")
    # No abbreviation of one that there is.
    assert "--window" in refused(capsys, data, "--window", "1")


def test_values_out_of_range_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, data, "--window-spans", "0")
    assert "pipeline.some_runner: error: window_spans must be" in line
    assert "--window-spans" in refused(capsys, data, "--window-spans", "x")
    assert "epochs" in refused(capsys, data, "--epochs", "0")


def test_a_missing_table_is_refused_by_name(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "items.csv").unlink()
    assert "items: missing_table" in refused(capsys, data)


def test_an_absent_file_of_thresholds_is_named(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, data, "--thresholds", "/no/such.json")
    assert "/no/such.json" in line and "No such file" in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"max_ranking_rmse": "low"}', "max_ranking_rmse must be a number"),
        ('{"max_fal": {}}', "thresholds knows at_least, "),
        ("max_fall: 1", "does not fit: "),
    ],
)
def test_thresholds_that_do_not_fit_are_told_before_anything_runs(
    data: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    file = data.parent / "thresholds.json"
    file.write_text(content)
    line = refused(capsys, data, "--thresholds", str(file))
    assert str(file) in line and message in line


def test_folders_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    parser = make_parser("pipeline.some_runner", "Runs it.", "  none")
    with pytest.raises(SystemExit):
        read_config(parser, [])
    error = capsys.readouterr().err
    assert "--data-dir" in error and "--pipeline-root" in error
