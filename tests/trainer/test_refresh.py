"""When texts are read anew in training."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.refresh import Refresh


@pytest.mark.parametrize(
    ("every", "wanted"), [(3, [3, 6, 7]), (0, [7]), (7, [7]), (9, [7])]
)
def test_texts_are_read_after_so_many_steps_and_after_the_epoch(
    every, wanted
):
    moved = iter(np.linspace(0.1, 0.9, 9))
    read: list[int] = []
    refresh = Refresh(
        lambda: read.append(step) or next(moved), lambda: 0.0, every, 0.0
    )
    for step in range(1, 8):
        refresh.after(step, steps=7)
    assert read == wanted
    assert refresh.moved == pytest.approx(0.1 * len(wanted))
    assert refresh.times == len(wanted)


def test_texts_are_read_where_they_have_moved_too_far():
    moved, read = {20: 0.3, 30: 0.1, 40: 0.2, 50: 0.21}, []
    refresh = Refresh(
        lambda: read.append(step) or 0.0, lambda: moved.get(step, 0.0), 0, 0.2
    )
    for step in range(1, 56):
        refresh.after(step, steps=55)
    assert read == [20, 50, 55]
    refresh.after(1, steps=55)
    assert refresh.times == 0  # of the next epoch
