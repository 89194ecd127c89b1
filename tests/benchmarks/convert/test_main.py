"""The command in this process, and its help in another."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from raw_dumps import write

import trainer
from benchmarks.convert.__main__ import main
from benchmarks.convert.dumps import DUMPS
from trainer.settings import parse

ROOT = Path(__file__).parents[3]
HEAVY = {"tensorflow", "transformers", "tf_keras", "scann", "torch"}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    write(raw, "ratings.dat", ["1::10::5::9", "1::20::4::10", "2::20::4::10"])
    write(raw, "movies.dat", ["10::A::Drama", "20::B::War"])
    return raw


def test_a_dump_is_converted_and_the_next_command_fits(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["movielens", str(raw), str(tmp_path / "out")]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    prefix = "next: python -m trainer.task "
    assert last.startswith(prefix)
    settings = parse(shlex.split(last.removeprefix(prefix)))
    assert settings.data_dir == str(tmp_path / "out")
    assert settings.config.data.split == "leave_one_out"


def test_a_fault_is_one_line_and_exit_code_1(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["yelp", str(raw), str(tmp_path / "out")]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {raw} has no yelp_academic_dataset_r")
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_flags_reach_the_conversion(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["movielens", str(raw), str(tmp_path / "out"), "--min-events"]
    assert main([*command, "2"]) == 1
    assert "no event is left of 3 rows" in capsys.readouterr().err
    assert main([*command, "1"]) == 0
    assert main([*command, "1"]) == 1
    assert "--overwrite to replace" in capsys.readouterr().err
    assert main([*command, "1", "--overwrite"]) == 0


def test_items_without_text_stay_unless_told_otherwise(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(raw, "movies.dat", ["10::A::Drama"])
    for flags, found in [
        ([], "2 users, 2 items, 3 events"),
        (["--keep-untexted"], "2 users, 2 items, 3 events"),
        (["--drop-untexted"], "1 users, 1 items, 1 events"),
    ]:
        out = tmp_path / "".join(["out", *flags])
        assert main(["movielens", str(raw), str(out), *flags]) == 0
        assert capsys.readouterr().out.startswith(found)


@pytest.mark.parametrize(
    "flags",
    [
        ["--min-events", "-1"], ["--min-events", "few"],
        ["--keep-untexted", "--drop-untexted"], ["--min", "3"],
    ],
)
def test_flags_that_make_no_sense_end_with_exit_code_2(
    raw: Path, flags: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["movielens", str(raw), str(raw / "out"), *flags])
    assert caught.value.code == 2


def test_help_names_every_dump_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('loaded:', *sys.modules))\n"
        "sys.argv[1:] = ['--help']\n"
        "runpy.run_module('benchmarks.convert', run_name='__main__')\n"
    )
    places = [str(Path(trainer.__file__).parents[1]), str(ROOT)]
    text, _, loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
    ).stdout.partition("loaded:")
    assert "examples:" in text
    assert all(name in text for name in DUMPS)
    assert not HEAVY & set(loaded.split())
