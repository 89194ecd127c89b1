"""Decayed counts of the past, by plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer import event_counts
from trainer.event_counts import EventCounts

HOUR, ITEMS = 3600, 7


def counted(
    times: np.ndarray, items: np.ndarray, moment: int, hours: float
) -> list[float]:
    """Counts of all items, event by event."""
    counts = [0.0] * ITEMS
    for time, item in zip(times.tolist(), items.tolist(), strict=True):
        if time < moment:
            counts[item] += 0.5 ** ((moment - time) / (hours * HOUR))
    return counts


@pytest.mark.parametrize("most_bytes", [event_counts._SNAPSHOT_BYTES, 1])
@pytest.mark.parametrize("number", [0, 1, 31, 32, 33, 400])
def test_counts_equal_those_of_a_loop(
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    most_bytes: int,
) -> None:
    monkeypatch.setattr(event_counts, "_SNAPSHOT_BYTES", most_bytes)
    times = 1_000_000 + rng.integers(0, 90 * HOUR, number)
    times[: number // 2] -= times[: number // 2] % HOUR  # many ties
    items = rng.integers(0, ITEMS, number).astype(np.int32)
    counts = EventCounts(times, items, ITEMS, [1.0, 30.0])
    moments = np.array(
        [0, 999_999, *np.sort(times)[::37], 1_000_000 + 200 * HOUR]
    )
    found = counts.at(tf.constant(moments))
    for hours, table in zip([1.0, 30.0], found, strict=True):
        wanted = [counted(times, items, at, hours) for at in moments.tolist()]
        np.testing.assert_allclose(table, wanted, rtol=1e-4, atol=1e-6)


def test_an_event_is_not_known_at_its_own_moment() -> None:
    counts = EventCounts(np.array([50]), np.array([3], np.int32), ITEMS, [1.0])
    at, after = counts.at(tf.constant([50, 51], tf.int64))[0].numpy()
    assert not at.any()
    assert after[3] == pytest.approx(0.5 ** (1 / HOUR))
