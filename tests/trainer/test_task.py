"""The command line in this process: exit codes, messages, what is written."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from serving import versions
from trainer.sample.__main__ import main as make_sample
from trainer.task import main

_BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}
EVENTS = "events.csv"
Row = dict[str, str]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables with a few of each kind of bad row and of odd text."""
    folder = tmp_path_factory.mktemp("task") / "logs"
    make_sample(
        [str(folder), "--users", "60", "--items", "40", "--bad-rows", "0.01"]
    )
    return folder


@pytest.fixture(scope="module")
def small(logs: Path) -> list[str]:
    """Flags of the smallest run over these tables."""
    config = logs.parent / "bert.json"
    config.write_text(json.dumps(_BERT))
    return [
        *("--data-dir", str(logs), "--text-encoder", str(config)),
        *("--max-tokens", "8", "--embedding-dim", "8", "--lstm-units", "8"),
        *("--epochs", "1", "--max-history", "5", "--max-reject-share", "0.1"),
    ]


class Finished:
    """A job that has run to its end, and what it printed."""

    def __init__(self, job_dir: Path, code: int, output: str) -> None:
        self.job_dir, self.code, self.output = job_dir, code, output

    def state(self) -> dict[str, int]:
        """When each file of checkpoints and bundles was written."""
        return {
            str(path): path.stat().st_mtime_ns
            for name in ("checkpoints", "export")
            for path in (self.job_dir / name).rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }


@pytest.fixture(scope="module")
def finished(logs: Path, small: list[str]) -> Finished:
    job_dir, output = logs.parent / "job", io.StringIO()
    with contextlib.redirect_stdout(output):
        code = main([*small, "--job-dir", str(job_dir)])
    return Finished(job_dir, code, output.getvalue())


def test_a_run_ends_with_its_metrics_and_how_to_serve_it(finished):
    assert finished.code == 0
    assert "popularity" in finished.output
    assert f"metrics: {finished.job_dir / 'metrics.json'}\n" in finished.output
    base = finished.job_dir / "export" / "recommender"
    assert finished.output.endswith(f"--model_base_path {base}\n")
    assert versions.versions(base) == [1]


def test_bad_rows_are_named_counted_and_set_aside(finished, logs):
    truth = json.loads((logs / "truth.json").read_text())
    planted = {each["name"] for each in truth["anomalies"]}
    assert len(planted) > 5
    for name in planted:
        assert name in finished.output
    with (finished.job_dir / "rejects" / "events.csv").open() as file:
        assert {row["anomaly"] for row in csv.DictReader(file)} == planted


def test_the_same_command_again_neither_trains_nor_exports(
    finished, small, capsys
):
    before = finished.state()
    assert main([*small, "--job-dir", str(finished.job_dir)]) == 0
    output = capsys.readouterr().out
    assert "resuming after epoch 1" in output
    assert "epoch 1: loss" in finished.output
    assert "epoch 1: loss" not in output
    assert finished.state() == before


def test_other_settings_need_another_folder_or_restart(
    finished, small, capsys
):
    before = finished.state()
    again = [*small, "--job-dir", str(finished.job_dir), "--seed", "1"]
    assert main(again) == 1
    assert "--restart" in capsys.readouterr().err
    assert finished.state() == before


def test_restart_trains_anew_and_exports_the_next_version(
    small, logs, tmp_path, capsys, finished
):
    job_dir = tmp_path / "job"
    shutil.copytree(finished.job_dir, job_dir)
    first = job_dir / "export" / "recommender" / "1" / "saved_model.pb"
    before = first.read_bytes()
    again = [*small, "--job-dir", str(job_dir), "--seed", "1", "--restart"]
    assert main(again) == 0
    output = capsys.readouterr().out
    assert "resuming" not in output
    assert "epoch 1: loss" in output
    for name in ("recommender", "recommender_scann"):
        assert versions.versions(job_dir / "export" / name) == [1, 2]
    assert first.read_bytes() == before


def test_print_config_writes_yaml_and_nothing_else(small, tmp_path, capsys):
    job_dir = tmp_path / "job"
    given = [*small, "--job-dir", str(job_dir), "--print-config"]
    assert main(given) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["model"]["lstm_units"] == 8
    assert config["training"]["epochs"] == 1
    assert config["training"]["batch_size"] == 64
    assert not job_dir.exists()


def test_a_misspelt_flag_ends_with_2_and_the_nearest_name(small, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*small, "--job-dir", "unused", "--lstm-unit", "9"])
    assert ended.value.code == 2
    assert "--lstm-units" in capsys.readouterr().err


def edit(name: str, change: Callable[[int, Row], object]) -> Callable:
    """Breaks a table by changing each row in place."""

    def break_table(folder: Path) -> None:
        path = folder / name
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for at, row in enumerate(rows):
            change(at, row)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    return break_table


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables without a bad row."""
    folder = tmp_path_factory.mktemp("task") / "clean"
    make_sample([str(folder), "--users", "60", "--items", "40"])
    return folder


def cut_gzip(folder: Path) -> None:
    path = folder / "events.csv"
    whole = gzip.compress(path.read_bytes())
    (folder / "events.csv.gz").write_bytes(whole[: len(whole) // 2])
    path.unlink()


def set_in_every_tenth(column: str, value: str) -> Callable:
    def change(at: int, row: Row) -> None:
        if at % 10 == 0:
            row[column] = value

    return change


def no_parquet(folder: Path) -> None:
    (folder / EVENTS).rename(folder / "events.parquet")


def write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


HEADER = b"user_id,item_id,timestamp\n"
BAD_DATA = {
    "no items table": (lambda f: (f / "items.csv").unlink(), ["items"]),
    "no timestamp": (
        edit(EVENTS, lambda _, row: row.pop("timestamp")),
        ["missing_column", "timestamp"],
    ),
    "empty file": (write(EVENTS, b""), ["events", "empty"]),
    "header alone": (write(EVENTS, HEADER), ["events", "empty"]),
    "cut gzip": (cut_gzip, ["events", "truncated"]),
    "a CSV named Parquet": (no_parquet, ["events.parquet"]),
    "unparsable time": (
        edit(EVENTS, set_in_every_tenth("timestamp", "soon")),
        ["unparsable_timestamp", "timestamp"],
    ),
    "negative time": (
        edit(EVENTS, set_in_every_tenth("timestamp", "-5")),
        ["negative_timestamp"],
    ),
    "milliseconds": (
        edit(EVENTS, set_in_every_tenth("timestamp", "1700000000000")),
        ["future_timestamp", "milliseconds"],
    ),
    "unknown items": (
        edit(EVENTS, set_in_every_tenth("item_id", "no such item")),
        ["unknown_item"],
    ),
    "two texts of an item": (
        edit("items.csv", lambda _, row: row.update(item_id="i1")),
        ["conflicting_item"],
    ),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_stops_the_run_by_name(case, clean, tmp_path, capsys):
    break_data, words = BAD_DATA[case]
    data, job_dir = tmp_path / "data", tmp_path / "job"
    shutil.copytree(clean, data)
    break_data(data)
    assert main(["--data-dir", str(data), "--job-dir", str(job_dir)]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    for word in words:
        assert word in message
    assert "Traceback" not in message
    assert not (job_dir / "run.json").exists()


def test_a_split_by_column_needs_the_column(clean, tmp_path, capsys):
    data = tmp_path / "data"
    shutil.copytree(clean, data)
    edit(EVENTS, lambda _, row: row.pop("split"))(data)
    flags = ["--data-dir", str(data), "--job-dir", str(tmp_path / "job")]
    assert main([*flags, "--split", "column"]) == 1
    assert "needs a `split` column" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--data-dir", "no such folder"], ["no such folder"]),
        (["--text-columns", "title,colour"], ["'colour'", "description"]),
        (["--text-encoder", "./no such"], ["no folder './no such'"]),
        (["--max-tokens", "17"], ["max_tokens is 17", "16"]),
        (["--strategy", "multi_worker"], ["TF_CONFIG"]),
    ],
)
def test_settings_that_cannot_work_end_with_1_and_a_sentence(
    flags, words, small, tmp_path, capsys, monkeypatch
):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert main([*small, "--job-dir", str(tmp_path / "job"), *flags]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("error: ")
    for word in words:
        assert word in message
