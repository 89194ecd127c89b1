"""How long the rest takes, and how that is said."""

from __future__ import annotations

from pathlib import Path

import finished
import pytest

from benchmarks.quality.execution import as_duration, remaining_seconds

RANKS = {"model": [1] * 6}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown time"), (0.4, "0 s"), (59.4, "59 s"), (60, "1 min"),
        (3_540, "59 min"), (3_599, "1 h 00 min"), (7_380, "2 h 03 min"),
    ],
)
def test_durations_are_said_shortly(seconds: float | None, text: str) -> None:
    assert as_duration(seconds) == text


def test_the_likest_finished_runs_tell_the_time(tmp_path: Path) -> None:
    for seed, seconds in enumerate([10, 30, 80]):
        finished.write(
            tmp_path, finished.job(seed), RANKS, total_seconds=seconds
        )
    finished.write(
        tmp_path, finished.job(data="news", preset="best"), RANKS,
        total_seconds=1_000,
    )

    def left(**fields: object) -> float | None:
        return remaining_seconds([finished.job(7, **fields)], tmp_path)

    assert left() == 30  # the median of its own kind
    assert left(variant="id-only") == 30  # its set and preset
    assert left(data="albums", preset="best") == 1_000  # its preset
    assert left(data="albums", preset="smoke") == 55  # of all four
    both = [finished.job(7), finished.job(8, preset="best")]
    assert remaining_seconds(both, tmp_path) == 1_030


def test_before_the_first_run_the_time_is_unknown(tmp_path: Path) -> None:
    assert remaining_seconds([finished.job()], tmp_path) is None
    assert remaining_seconds([], tmp_path) == 0
