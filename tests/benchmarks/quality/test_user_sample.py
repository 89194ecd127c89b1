"""A share of the users, each with all events."""

from __future__ import annotations

import logs
import pytest

from benchmarks.quality.user_sample import sample_users

LINES = [(f"u{n % 20}", f"i{n}", n // 3) for n in range(200)]


@pytest.mark.parametrize(("share", "users"), [(0.25, 5), (0.5, 10), (0.01, 1)])
def test_who_stays_stays_whole_and_in_order(share: float, users: int) -> None:
    kept, notes = sample_users(logs.table(LINES), share=share, seed=0)
    ids = {user for user, _, _ in logs.lines(kept)}
    assert len(ids) == users == notes["users"]
    assert logs.lines(kept) == [line for line in LINES if line[0] in ids]


def test_each_user_is_drawn_equally_often() -> None:
    times = dict.fromkeys((user for user, _, _ in LINES), 0)
    for seed in range(400):
        kept, _ = sample_users(logs.table(LINES), share=0.25, seed=seed)
        for user in {user for user, _, _ in logs.lines(kept)}:
            times[user] += 1
    # 100 each expected, standard deviation 8.7.
    assert all(65 < count < 135 for count in times.values())
