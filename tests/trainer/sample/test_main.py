from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainer.config import DataConfig
from trainer.sample import __main__ as sample
from trainer.tables import Dataset, load_dataset

NOW = 1_735_689_600  # 2025-01-01, a year after the last event


def run(out_dir: Path, *flags: str) -> dict[str, Any]:
    """Runs the command in this process and reads truth.json."""
    assert sample.main([str(out_dir), "--users", "300", *flags]) == 0
    text = (out_dir / "truth.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def load(data_dir: Path, rejects_dir: Path) -> Dataset:
    return load_dataset(
        str(data_dir), DataConfig(), rejects_dir=rejects_dir, now=NOW
    )


def found(dataset: Dataset, severity: str) -> list[dict[str, Any]]:
    return [
        {"table": a.table, "name": a.name, "rows": a.rows,
         "first_rows": list(a.first_rows)}
        for a in dataset.anomalies
        if a.severity == severity
    ]


def by_name(anomalies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(anomalies, key=lambda a: (a["table"], a["name"]))


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_equal_seeds_give_equal_bytes(tmp_path: Path, kind: str) -> None:
    for name in ("one", "two"):
        run(tmp_path / name, "--format", kind, "--bad-rows", "0.01")
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two
    assert sorted(one) == [
        f"events.{kind}", f"items.{kind}", f"scenarios.{kind}", "truth.json",
        f"users.{kind}",
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_clean_sample_loads_without_anomalies(
    tmp_path: Path, language: str
) -> None:
    truth = run(tmp_path / "data", "--language", language)
    dataset = load(tmp_path / "data", tmp_path / "rejects")
    assert found(dataset, "reject") == []
    # The only note is on users that were planted with a single event.
    assert [(a["name"], a["rows"]) for a in found(dataset, "note")] == [
        ("single_event_user", truth["counts"]["single_event_users"])
    ]
    assert len(dataset.events.item) == truth["counts"]["events"]
    assert not (tmp_path / "rejects").exists()


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_bad_rows_are_found_where_the_truth_says(
    tmp_path: Path, kind: str
) -> None:
    data = tmp_path / "data"
    truth = run(data, "--bad-rows", "0.01", "--format", kind)
    dataset = load(data, tmp_path / "rejects")
    assert len(truth["anomalies"]) == 11
    assert by_name(found(dataset, "reject")) == by_name(truth["anomalies"])
    assert truth["odd_texts"][0] in found(dataset, "note")
    assert len(dataset.events.item) == truth["counts"]["events"]
    assert len(dataset.items.ids) == 500


@pytest.mark.parametrize("items", [1, 50, 99])
def test_a_small_catalogue_works(tmp_path: Path, items: int) -> None:
    run(tmp_path / "data", "--items", str(items))
    dataset = load(tmp_path / "data", tmp_path / "rejects")
    assert len(dataset.items.ids) == items
    assert found(dataset, "reject") == []


def test_a_bad_size_ends_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        sample.main([str(tmp_path), "--users", "0"])
    assert stop.value.code == 2
    assert "users must be at least 1, got 0" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_ends_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stop:
        run(tmp_path / "file")
    assert stop.value.code == 2
    assert "file" in capsys.readouterr().err


def test_the_command_says_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "--items", "50", "--scenarios", "2")
    said = capsys.readouterr().out
    assert "50 items, 300 users, 2 scenarios" in said


def test_help_shows_every_setting_with_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        sample.main(["--help"])
    said = capsys.readouterr().out
    assert stop.value.code == 0
    assert "python -m trainer.sample runs/zh --language zh" in said
    for flag in ("--near-duplicates", "--cold-users", "--bad-rows"):
        assert flag in said


def test_neither_tensorflow_nor_pyarrow_is_imported() -> None:
    code = (
        "import sys, trainer.sample, trainer.sample.oracle\n"
        "heavy = {'tensorflow', 'tf_keras', 'pyarrow', 'transformers'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        check=True, timeout=60,
    )
    assert done.stdout.strip() == "[]"
