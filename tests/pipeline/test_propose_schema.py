from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pipeline.propose_schema import main

ROWS = "item_id,title,colour\n1,a,red\n"


def test_the_proposal_is_written_and_differences_are_told(tmp_path, capsys):
    (tmp_path / "items.csv").write_text(ROWS)
    output = tmp_path / "proposed.pbtxt"
    assert not main([
        "--data-dir", str(tmp_path), "--table", "items",
        "--output", str(output),
    ])
    assert 'name: "colour"' in output.read_text()
    assert "colour: is not in the contract." in capsys.readouterr().out


def test_a_table_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path)]) == 1
    assert "missing_table" in capsys.readouterr().err


def test_help_answers_before_anything_heavy_is_loaded():
    code = (
        "import atexit, runpy, sys\n"
        "atexit.register(lambda: print('loaded:', *sys.modules))\n"
        "sys.argv[1:] = ['--help']\n"
        "runpy.run_module('pipeline.propose_schema', run_name='__main__')\n"
    )
    root = str(Path(__file__).parents[2])
    text, _, loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True,
        text=True, env={**os.environ, "PYTHONPATH": root},
    ).stdout.partition("loaded:")
    assert "examples:" in text
    heavy = {"tfx", "apache_beam", "tensorflow", "pyarrow"}
    assert not heavy & set(loaded.split())
