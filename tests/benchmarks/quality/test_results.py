"""What a folder of results says of its runs."""

from __future__ import annotations

from pathlib import Path

import finished
import pytest

from benchmarks.quality import results

RANKS = {"model": [1, 2, 3, 40, 50, 60]}


def test_finished_runs_are_read_back(tmp_path: Path) -> None:
    for seed in (0, 1):
        finished.write(tmp_path, finished.job(seed), RANKS)
    found = results.read_all(tmp_path)
    assert [each.job for each in found] == [
        finished.job(0), finished.job(1)
    ]
    assert found[1].arrays["ranks:model"].tolist() == RANKS["model"]
    assert found[1].arrays["user_id"].tolist() == finished.USERS


def test_nothing_is_finished_in_a_new_folder(tmp_path: Path) -> None:
    assert results.read_all(tmp_path) == []
    assert not results.is_finished(tmp_path, finished.job())


def test_a_half_written_file_is_no_result(tmp_path: Path) -> None:
    finished.write(tmp_path, finished.job(), RANKS)
    path = results.result_path(tmp_path, finished.job().name)
    path.rename(path.with_name(f".{path.name}.77"))
    assert results.read_all(tmp_path) == []


def test_a_run_with_these_settings_is_finished(tmp_path: Path) -> None:
    finished.write(tmp_path, finished.job(), RANKS)
    assert results.is_finished(tmp_path, finished.job(has_baselines=False))
    assert not results.is_finished(tmp_path, finished.job(1))


@pytest.mark.parametrize(
    "other",
    [{"overrides": ["epochs=1"]}, {"source": "/elsewhere"},
     {"split": "time"}],
    ids=str,
)
def test_a_run_of_the_same_name_but_another_kind_is_not_taken(
    tmp_path: Path, other: dict
) -> None:
    finished.write(tmp_path, finished.job(), RANKS)
    with pytest.raises(ValueError, match="give another --out"):
        results.is_finished(tmp_path, finished.job(**other))


def test_the_mark_of_the_source_stays_while_it_does() -> None:
    assert results.source_mark() == results.source_mark()
    assert len(results.source_mark()) == 12
