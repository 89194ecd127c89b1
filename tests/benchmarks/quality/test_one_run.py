"""What a result says of a run's training."""

import json
from pathlib import Path

from benchmarks.quality.one_run import training_report

TOWERS = [
    {"epoch": 1, "loss": 3.0, "validation_ndcg@10": 0.1, "seconds": 4.0},
    {"epoch": 2, "loss": 2.0, "validation_ndcg@10": 0.2, "seconds": 5.0},
]
TUNED = [
    {"epoch": 0, "validation_ndcg@10": 0.2, "seconds": 1.0},
    {"epoch": 1, "loss": 1.0, "validation_ndcg@10": 0.1, "seconds": 20.0},
]


def test_a_run_of_one_stage(tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text(json.dumps(TOWERS))
    assert training_report(tmp_path) == {
        "training_seconds": 9.0, "epochs": 2, "best_epoch": 2,
        "history": TOWERS,
    }


def test_towers_that_were_fitted_first_took_time_too(tmp_path: Path) -> None:
    (tmp_path / "towers").mkdir()
    (tmp_path / "towers" / "history.json").write_text(json.dumps(TOWERS))
    (tmp_path / "history.json").write_text(json.dumps(TUNED))
    assert training_report(tmp_path) == {
        "training_seconds": 30.0, "epochs": 1, "best_epoch": 0,
        "history": TUNED,
    }
