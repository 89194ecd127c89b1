"""The command line: what it refuses, what it lists, what it runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import finished
import numpy as np
import pytest

from benchmarks.quality.__main__ import main
from benchmarks.quality.one_run import run_job
from benchmarks.quality.results import Result, read
from benchmarks.quality.treatments import Treatment
from trainer.sample.__main__ import main as make_sample

ROOT = Path(__file__).parents[3]
QUICK = ("--preset", "smoke", "--set", "epochs=2", "--seeds", "0")
NAME = "sample--smoke--full+epochs=2--seed0"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "sample"
    make_sample([str(folder), "--users", "60", "--items", "80"])
    return folder


def refused(arguments: Sequence[object], capsys) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--data missing"),
        (["--data", "amazon-beaty"], "Did you mean amazon-beauty?"),
        (["--data", "ml-1m"], "set the variable INTEREST_TOWERS_DATA"),
        (["--data", "SAMPLE", "--preset", "bset"], "Did you mean best?"),
        (["--data", "SAMPLE", "--variant", "id-of"], "Did you mean id-off?"),
        (["--data", "SAMPLE", "--set", "epoch=1"], "Did you mean --epochs?"),
        (["--data", "SAMPLE", "--set", "epochs=0"], "at least 1, got 0"),
        (["--data", "SAMPLE", "--cold-items", "5"], "between 0 and 1"),
        (["--data", "SAMPLE", "--sample-users", "0"], "between 0 and 1"),
        (["--data", "SAMPLE", "--set", "behaviour_text=shop", "--protocol",
          "tfrs"], "behaviour_text is not read under tfrs"),
        (["--data", "SAMPLE", "SAMPLE"], "two sets of one name"),
        (["--table"], "no finished run"),
        (["--data", "SAMPLE", "--shuffle-ties", "--protocol", "tfrs"],
         "not allowed with"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    arguments: list[str], message: str, sample: Path, tmp_path: Path,
    capsys, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("INTEREST_TOWERS_DATA", raising=False)
    given = [str(sample) if a == "SAMPLE" else a for a in arguments]
    error = refused([*given, "--out", tmp_path], capsys)
    assert message in error
    assert error.count("\n") == 1


def test_a_dry_run_lists_and_runs_nothing(
    sample: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"
    asked = ["--data", str(sample), "--variant", "full", "id-only"]
    assert main([*asked, "--seeds", "0", "1", "--out", str(out),
                 "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "to run    sample--base--full--seed0",
        "to run    sample--base--full--seed1",
        "to run    sample--base--id-only--seed0",
        "to run    sample--base--id-only--seed1",
        "4 of 4 to run, unknown time",
    ]
    assert not out.exists()


def test_finished_runs_are_not_run_again(
    sample: Path, tmp_path: Path, capsys
) -> None:
    for seed in (0, 1):
        job = finished.job(seed, data="sample", source=str(sample.resolve()))
        finished.write(tmp_path, job, {"model": [1, 1, 1, 1, 1, 40]})
    asked = ["--data", str(sample), "--seeds", "0", "1", "--out", str(tmp_path)]
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert text.startswith("runs: 2, finished before: 2\n")
    table = (tmp_path / "table.md").read_text()
    assert table in text
    assert ".8333 ± .0000" in table
    assert not (tmp_path / "jobs").exists()


def test_a_run_that_fails_is_named_and_the_others_go_on(
    sample: Path, tmp_path: Path, capsys
) -> None:
    """Tables that cannot be read, found out by the runs themselves."""
    bad = [tmp_path / "bad", tmp_path / "worse"]
    for folder in bad:
        folder.mkdir()
        (folder / "events.csv").write_text("user_id,item_id\na,x\n")
        (folder / "items.csv").write_text("item_id,title\nx,a title\n")
    job = finished.job(0, data="sample", source=str(sample.resolve()))
    finished.write(tmp_path / "out", job, {"model": [1] * 6})
    sets = [str(folder) for folder in (*bad, sample)]
    code = main(["--data", *sets, "--out", str(tmp_path / "out")])
    found = capsys.readouterr()
    assert code == 1
    assert found.out.count("failed after") == 2
    assert "timestamp" in found.out  # the log's end says what is missing
    assert "### sample" in found.out
    assert (
        "2 failed: bad--base--full--seed0, worse--base--full--seed0"
        in found.err
    )


def test_help_answers_before_tensorflow_is_loaded() -> None:
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('loaded:', *sys.modules))\n"
        "sys.argv[1:] = ['--help']\n"
        "runpy.run_module('benchmarks.quality', run_name='__main__')\n"
    )
    text, _, loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True,
        capture_output=True, text=True,
    ).stdout.partition("loaded:")
    assert "examples:" in text
    assert not {"tensorflow", "transformers"} & set(loaded.split())


def run(out: Path, *arguments: object) -> str:
    """What the command prints, run as a person runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.quality", "--out", str(out),
         *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def out(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quality")
    text = run(folder, "--data", sample, *QUICK, "--keep-jobs")
    assert text.startswith(f"runs: 1, finished before: 0\n[1/1] {NAME}: ")
    return folder


@pytest.mark.e2e
def test_one_command_trains_measures_and_tables(out: Path) -> None:
    result = json.loads((out / "results" / f"{NAME}.json").read_text())
    assert result["epochs"] == 2
    assert result["best_epoch"] in (1, 2)
    assert result["training_seconds"] > 0
    assert result["peak_memory_mb"] > 100
    assert result["job"]["seed"] == 0
    cells = finished.cells(
        (out / "table.md").read_text(), "**full+epochs=2 (smoke)**"
    )
    model = result["rows"]["model"]
    assert cells["recall@100"] == f"{model['recall@100']:.4f}".lstrip("0")
    assert cells["recall@10"].startswith(
        f"{model['recall@10']:.4f}".lstrip("0")
    )
    with np.load(out / "ranks" / f"{NAME}.npz") as arrays:
        hits = (arrays["ranks:model"] <= 10).mean()
        users = arrays["user_id"].tolist()
    assert hits == pytest.approx(model["recall@10"])
    assert len(set(users)) == len(users) == model["queries"]


@pytest.mark.e2e
def test_the_second_call_runs_nothing(out: Path, sample: Path) -> None:
    result = out / "results" / f"{NAME}.json"
    before, log = result.read_bytes(), out / "logs" / f"{NAME}.log"
    length = log.stat().st_size
    text = run(out, "--data", sample, *QUICK)
    assert text.startswith("runs: 1, finished before: 1\nCells are")
    assert result.read_bytes() == before
    assert log.stat().st_size == length


@pytest.mark.e2e
def test_an_interrupted_run_goes_on_in_its_job_folder(
    out: Path, sample: Path
) -> None:
    """Its checkpoints are there, its result is not."""
    result = out / "results" / f"{NAME}.json"
    before = json.loads(result.read_text())
    result.unlink()
    text = run(out, "--data", sample, *QUICK)
    assert text.startswith("runs: 1, finished before: 0")
    log = (out / "logs" / f"{NAME}.log").read_text()
    assert log.count("resuming after epoch 2") == 1
    after = json.loads(result.read_text())
    assert after["rows"] == before["rows"]
    assert after["training_seconds"] == before["training_seconds"]
    # Without --keep-jobs what was needed to resume is gone.
    assert not (out / "jobs" / NAME / "checkpoints").exists()


@pytest.mark.e2e
def test_cold_items_are_run_beside_the_run_on_all_events(
    out: Path, sample: Path
) -> None:
    text = run(out, "--data", sample, *QUICK, "--cold-items", "0.2")
    assert text.startswith("runs: 2, finished before: 1")
    treated = out / "data" / "sample+cold-items-0.2-seed0"
    drawn = set(json.loads((treated / "treatment.json").read_text())["items"])
    name = NAME.replace("sample", "sample+cold-items-0.2")
    with np.load(out / "ranks" / f"{name}.npz") as arrays:
        items, cold = arrays["item_id"].tolist(), arrays["made_cold"].tolist()
        seen = arrays["item_train_events"].tolist()
    assert cold == [item in drawn for item in items]
    assert any(cold)
    assert all(
        events == 0 for events, is_cold in zip(seen, cold, strict=True)
        if is_cold
    )
    table = text.partition("### sample (leave_one_out, cold")[2]
    cells = finished.cells(table, "**full+epochs=2 (smoke)**", table=2)
    assert re.match(r"[01.]\d+ \[", cells["warm before: recall@10"])


def run_here(
    treatment: Treatment, overrides: Sequence[str], sample: Path, out: Path
) -> Result:
    """What the process of one run does, in this one."""
    job = finished.job(
        0, data="sample", source=str(sample), preset="smoke",
        treatment=treatment, overrides=["epochs=1", *overrides],
    )
    job.treatment.write(sample, job.data_dir(out), split=job.split, seed=0)
    for name in ("results", "ranks"):
        (out / name).mkdir()
    run_job(job, out, out / "cache", keep_jobs=False)
    return read(out, job.name)


@pytest.mark.e2e
def test_tfrs_protocol_asks_every_test_event(
    sample: Path, tmp_path: Path
) -> None:
    result = run_here(Treatment("tfrs"), [], sample, tmp_path)
    rows = result.content["rows"]
    events = (sample / "events.csv").read_text().count("\n") - 1
    assert rows["model"]["queries"] == pytest.approx(events / 5, abs=1)
    # All items rank among the first eighty, if they may be recommended.
    assert result.arrays["ranks:model"].max() <= 80
    assert result.arrays["ranks:model, seen removed"].max() > 80


@pytest.mark.e2e
def test_behaviours_in_words_are_read_of_some_users(
    sample: Path, tmp_path: Path
) -> None:
    result = run_here(
        Treatment("sample-users", 0.5), ["behaviour_text=shop"], sample,
        tmp_path,
    )
    found = result.content["rows"]["model"]
    assert found["queries"] == 30
    assert 0 < found["recall@10"] <= 1
