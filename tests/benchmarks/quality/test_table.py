"""The report: what stands in which cell."""

from __future__ import annotations

import math
from pathlib import Path

import finished
import pytest

from benchmarks.quality import ladder
from benchmarks.quality.results import read_all
from benchmarks.quality.table import report
from benchmarks.quality.treatments import Treatment

MODEL = "**full (base)**"


def written(out: Path, **fields: object) -> str:
    """Two seeds: 3 and 4 of 6 targets within the first ten."""
    finished.write(
        out, finished.job(0, **fields),
        {"model": [1, 3, 7, 11, 20, 200], "markov": [2] * 6},
    )
    finished.write(
        out, finished.job(1, **fields),
        {"model": [1, 3, 7, 10, 20, 200], "markov": [2] * 6},
    )
    return report(read_all(out))


def test_means_and_spread_are_those_of_the_ranks(tmp_path: Path) -> None:
    found = finished.cells(written(tmp_path), MODEL)
    assert found["seeds"] == "2"
    # (3/6 + 4/6) / 2 and (1/6) / sqrt(2).
    assert found["recall@10"].startswith(".5833 ± .1179 [")
    # Ranks 1, 3, 7 (and 10): 1 + 1/2 + 1/3 (+ 1/log2(11)), of 6.
    shared = 1 + 1 / 2 + 1 / 3
    mean = (2 * shared + 1 / math.log2(11)) / 2 / 6
    assert found["ndcg@10"].startswith(f"{mean:.4f}"[1:])
    assert found["recall@5"] == ".3333"
    assert found["recall@100"] == ".8333"
    assert found["mrr@10"] == f"{(1 + 1 / 3 + 1 / 7 + 0.05) / 6:.4f}"[1:]
    assert found["coverage@10"] == ".2500"
    assert found["novelty@10"] == "12.50"
    assert found["train s"] == "100"
    assert found["memory MB"] == "1000"


def test_intervals_hold_what_users_can_give(tmp_path: Path) -> None:
    cell = finished.cells(written(tmp_path), MODEL)["recall@10"]
    low, high = (float(x) for x in cell.partition("[")[2][:-1].split(", "))
    # Users have hits of 1, 1, 1, .5, 0, 0.
    assert 0.1 < low < 0.5833 < high < 1.0


def test_baselines_have_no_cost_and_no_spread(tmp_path: Path) -> None:
    found = finished.cells(written(tmp_path), "markov")
    assert found["recall@10"] == "1.0000 ± .0000 [1.0000, 1.0000]"
    assert found["train s"] == "–"


def test_slices_are_by_train_events(tmp_path: Path) -> None:
    found = finished.cells(written(tmp_path), MODEL, table=1)
    del found["recall@10 / ndcg@10"]
    assert found == {
        "item cold (0): 1": "1.0000 / 1.0000",
        "item tail (1-5): 1": "1.0000 / .5000",
        "item torso (6-50): 1": "1.0000 / .3333",
        # Ranks 11 or 10, 20, 200: hit in one of two runs.
        "item head (51+): 3": f".1667 / {1 / math.log2(11) / 6:.4f}".replace(
            " 0.", " ."
        ),
        "user 1-3: 3": "1.0000 / .6111",
        "user 4-10: 1": f".5000 / {1 / math.log2(11) / 2:.4f}".replace(
            " 0.", " ."
        ),
        "user 11+: 2": ".0000 / .0000",
    }


def test_the_published_ladder_stands_above_its_own_set(tmp_path: Path) -> None:
    text = written(tmp_path, data="amazon-beauty")
    found = finished.cells(text, "TIGER [arXiv 2305.05065]")
    assert (found["recall@10"], found["ndcg@10"]) == (".0648", ".0384")
    assert found["seeds"] == found["train s"] == "–"
    assert "TIGER" not in written(tmp_path / "other")


def test_another_split_stands_without_the_ladder(tmp_path: Path) -> None:
    assert "TIGER" not in written(tmp_path, data="amazon-beauty", split="time")


def test_a_treated_set_stands_without_the_ladder(tmp_path: Path) -> None:
    text = written(
        tmp_path, data="amazon-beauty", treatment=Treatment("shuffle-ties")
    )
    assert "### amazon-beauty (leave_one_out, shuffle-ties; 6 test" in text
    assert "TIGER" not in text


def test_tfrs_has_top_k_accuracy_both_ways(tmp_path: Path) -> None:
    finished.write(
        tmp_path, finished.job(data="ml-100k", treatment=Treatment("tfrs")),
        {
            "model": [1, 5, 10, 50, 100, 101],
            "model, seen removed": [1, 1, 1, 1, 50, 51],
        },
    )
    text = report(read_all(tmp_path))
    left_in = finished.cells(text, MODEL)
    tops = ("top-1", "top-5", "top-10", "top-50", "top-100")
    starts = [left_in[top].split()[0] for top in tops]
    assert starts == [".1667", ".3333", ".5000", ".6667", ".8333"]
    removed = finished.cells(text, f"{MODEL}, seen removed")
    assert removed["top-1"].startswith(".6667")
    published = finished.cells(
        text, "TFRS's basic retrieval tutorial, as published"
    )
    assert (published["top-10"], published["top-100"]) == (".0212", ".2334")
    assert published["top-1"] == "–"


def test_runs_of_changed_code_are_pointed_out(tmp_path: Path) -> None:
    finished.write(tmp_path, finished.job(0), {"model": [1] * 6})
    assert "states of the source" not in report(read_all(tmp_path))
    finished.write(tmp_path, finished.job(1), {"model": [1] * 6}, source="xyz")
    assert "2 states of the source code (abc, xyz" in report(
        read_all(tmp_path)
    )


def test_nothing_finished_is_an_error() -> None:
    with pytest.raises(ValueError, match="no finished run"):
        report([])


def test_every_published_figure_has_a_source_and_is_a_share() -> None:
    rows = [
        row for table in (ladder.LADDER, ladder.COLD) for part in table.values()
        for row in part
    ]
    assert len(rows) > 20
    for row in rows:
        assert row.source.startswith("arXiv 2")
        assert 0 < row.recall < 1
        assert row.ndcg is None or 0 < row.ndcg < row.recall
