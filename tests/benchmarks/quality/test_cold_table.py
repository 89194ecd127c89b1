"""Items made cold, the others, and the others before."""

from __future__ import annotations

from pathlib import Path

import finished

from benchmarks.quality.results import read_all
from benchmarks.quality.table import report
from benchmarks.quality.treatments import Treatment

COLD = Treatment("cold-items", 0.3)
IS_COLD = [True, False, False, False, False, True]
MODEL = "**full (base)**"
HIT, MISS = 1, 99


def write_treated(out: Path) -> None:
    finished.write(
        out, finished.job(0, treatment=COLD),
        {"model": [HIT, HIT, MISS, MISS, HIT, MISS], "markov": [MISS] * 6},
        cold=IS_COLD,
    )


def write_plain(out: Path, seed: int = 0) -> None:
    finished.write(
        out, finished.job(seed),
        {"model": [HIT, HIT, HIT, HIT, MISS, HIT], "markov": [MISS] * 6},
    )


def test_cold_and_warm_targets_are_measured_apart(tmp_path: Path) -> None:
    write_treated(tmp_path)
    write_plain(tmp_path)
    found = finished.cells(report(read_all(tmp_path)), MODEL, table=4)
    assert found["cold: recall@10"].startswith(".5000 [")  # first, not last
    assert found["warm: recall@10"].startswith(".5000 [")  # 2 of 4
    # Before: the same four targets, of which three were found.
    assert found["warm before: recall@10"].startswith(".7500 [")
    assert found["ratio: recall@10"] == ".6667"
    assert found["ratio: ndcg@10"] == ".6667"


def test_a_ratio_to_nothing_is_none(tmp_path: Path) -> None:
    write_treated(tmp_path)
    write_plain(tmp_path)
    found = finished.cells(report(read_all(tmp_path)), "markov", table=4)
    assert found["cold: recall@10"] == ".0000 [.0000, .0000]"
    assert found["ratio: recall@10"] == "–"


def test_only_runs_of_the_same_seed_are_compared(tmp_path: Path) -> None:
    write_treated(tmp_path)
    write_plain(tmp_path, seed=1)
    found = finished.cells(report(read_all(tmp_path)), MODEL, table=4)
    assert found["warm: recall@10"].startswith(".5000")
    assert found["warm before: recall@10"] == "–"
    assert found["ratio: recall@10"] == "–"


def test_targets_that_one_side_lacks_are_left_out(tmp_path: Path) -> None:
    """User b's target is another item in the plain run."""
    write_treated(tmp_path)
    items = ["p", "other", *finished.ITEMS[2:]]
    finished.write(
        tmp_path, finished.job(0),
        {"model": [HIT, HIT, HIT, HIT, MISS, HIT], "markov": [MISS] * 6},
        items=items,
    )
    found = finished.cells(report(read_all(tmp_path)), MODEL, table=4)
    assert found["warm before: recall@10"].startswith(".6667")  # c, d; not e


def test_published_cold_figures_stand_above(tmp_path: Path) -> None:
    finished.write(
        tmp_path, finished.job(0, data="amazon-beauty", treatment=COLD),
        {"model": [HIT] * 6}, cold=IS_COLD,
    )
    text = report(read_all(tmp_path))
    found = finished.cells(text, "LIGER [arXiv 2411.18814]", table=2)
    assert found["cold: recall@10"] == ".1008"
    assert found["cold: ndcg@10"] == found["ratio: recall@10"] == "–"
