"""The table of encoders with fewer bits, over small logs."""

from __future__ import annotations

import pytest

from benchmarks.language.serving_encoder import as_rows, main
from trainer.reduced_encoder import Comparison
from trainer.sample.__main__ import main as make_sample


def test_a_row_each_for_before_and_after():
    found = Comparison("int8", 90.94, 23.6, 0.9993, 0.99961, 14.1, 16.44, 64)
    assert as_rows(found, 117.9, 114.8) == [
        "| float32 | 90.9 | 14.1 | 118 | 1 | 1 |",
        "| int8 | 23.6 | 16.4 | 115 | 0.9993 | 0.9996 |",
    ]


def test_both_precisions_stand_beside_float32(
    tmp_path, capsys: pytest.CaptureFixture[str]
):
    make_sample([str(tmp_path / "logs"), "--users", "60", "--items", "40"])
    main([
        "--data-dir", str(tmp_path / "logs"), "--text-encoder", "tiny",
        "--max-tokens", "16", "--folder", str(tmp_path / "made"),
    ])
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.strip().splitlines()[-4:]
    ]
    assert [row[0] for row in rows] == [
        "float32", "bfloat16", "float32", "int8"
    ]
    sizes = [float(row[1]) for row in rows]
    assert sizes[0] == sizes[2] > sizes[1] > sizes[3]
    assert all(float(row[3]) > 0 for row in rows)
