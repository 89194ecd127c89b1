"""The table of teacher and student, over small logs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.language.distillation import as_row, main
from trainer.encoder_loading import load_encoder
from trainer.pretraining.comparison import Cost
from trainer.sample.__main__ import main as make_sample

_BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}


def test_a_row_has_means_over_users():
    metrics = {
        "recall@10": np.array([1.0, 0.0, 0.0, 1.0] * 50),
        "ndcg@10": np.array([0.5, 0.0, 0.0, 0.7] * 50),
    }
    row = as_row("teacher", Cost(1234, 5.678, 90.1), 0.98765, metrics)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:5] == ["teacher", "1,234", "5.7", "90", "0.988"]
    assert cells[5].startswith("0.5000 [0.4")
    assert cells[6].startswith("0.3000 [0.2")


@pytest.mark.parametrize("epochs", ["0", "1"])
def test_teacher_and_student_before_and_after(
    epochs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sample([str(tmp_path / "logs"), "--users", "60", "--items", "120"])
    for name, width in (("small", 16), ("large", 24)):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({**_BERT, "hidden_size": width})
        )
    corpus = (tmp_path / "logs" / "items.csv").read_text().splitlines()
    load_encoder(
        str(tmp_path / "large.json"), max_tokens=16, corpus=corpus,
        folder=tmp_path / "teacher",
    )
    main([
        "--data-dir", str(tmp_path / "logs"), "--max-tokens", "16",
        "--encoder", str(tmp_path / "small.json"), "--epochs", epochs,
        "--distill-from", str(tmp_path / "teacher"), "--distill-epochs", "1",
        "--folder", str(tmp_path / "students"),
    ])
    lines = capsys.readouterr().out.strip().splitlines()[-5:]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert [row[0] for row in rows[2:]] == [
        "teacher", "student before", "student after"
    ]
    assert {len(row) for row in rows} == {7}
    assert rows[2][4] == "1.000"  # it agrees with itself
    assert rows[3][1] == rows[4][1] != rows[2][1]
    report = json.loads(
        (tmp_path / "students" / "after" / "pretraining.json").read_text()
    )
    found = report["distillation"]
    assert [row[4] for row in rows[3:]] == [
        f"{found['agreement_before']:.3f}", f"{found['agreement_after']:.3f}"
    ]
