"""Validation by time where a `split` column has none."""

from __future__ import annotations

import logs
import numpy as np
import pytest

from benchmarks.quality.latest_validation import hold_out_latest

LINES = [(f"u{n % 7}", f"i{n}", 100 + (n * 37) % 200) for n in range(200)]


def told(split: list[str]):
    return logs.table(LINES).with_columns(split=np.array(split, object))


def test_the_latest_train_events_are_held_out() -> None:
    said = ["test" if time >= 250 else "train" for _, _, time in LINES]
    treated, notes = hold_out_latest(told(said), share=0.2, split="column")
    assert logs.lines(treated) == LINES
    first = notes["validation_from"]
    assert first == 220  # of 150 train events at 100 to 249, one each
    for (_, _, time), before, after in zip(
        LINES, said, treated.columns["split"], strict=True
    ):
        is_late = before == "train" and time >= first
        assert after == ("validation" if is_late else before)


@pytest.mark.parametrize(
    ("said", "split"),
    [
        (["train"] * 199 + ["validation"], "column"),
        (["train"] * 200, "leave_one_out"),
    ],
)
def test_other_tables_are_refused(said: list[str], split: str) -> None:
    with pytest.raises(ValueError, match="no validation"):
        hold_out_latest(told(said), share=0.1, split=split)
