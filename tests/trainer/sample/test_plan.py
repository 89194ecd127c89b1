from __future__ import annotations

import numpy as np
import pytest

from trainer.sample.config import FIRST_MOMENT, LAST_MOMENT, SampleConfig
from trainer.sample.plan import Plan, plan_histories
from trainer.sample.world import World, plant_world


def make(**fields: object) -> tuple[World, Plan]:
    config = SampleConfig(**fields)  # type: ignore[arg-type]
    world = plant_world(config, np.random.default_rng(1))
    return world, plan_histories(world, config, np.random.default_rng(2))


@pytest.mark.parametrize("events_per_user", [4, 20, 1000])
def test_moments_rise_within_the_ninety_days(events_per_user: int) -> None:
    _, plan = make(users=30, events_per_user=events_per_user)
    for row, length in zip(plan.timestamp, plan.length, strict=True):
        moments = row[:length]
        assert (np.diff(moments) >= 1).all()
        assert FIRST_MOMENT <= moments[0]
        assert moments[-1] < LAST_MOMENT


def test_histories_have_the_asked_mean_length() -> None:
    world, plan = make(users=3000, events_per_user=30)
    mean = plan.length[~world.people.is_cold].mean()
    assert mean == pytest.approx(30, rel=0.05)


def test_cold_users_act_once_or_twice_in_the_last_tenth() -> None:
    world, plan = make(users=400, cold_users=0.25)
    cold = world.people.is_cold
    assert set(plan.length[cold]) == {1, 2}
    last_tenth = LAST_MOMENT - (LAST_MOMENT - FIRST_MOMENT) // 10
    last = plan.timestamp[np.arange(400), plan.length - 1]
    assert (last[cold] >= last_tenth).all()


def test_the_last_session_has_three_to_six_events() -> None:
    world, plan = make(users=200)
    inside = np.arange(plan.starts.shape[1]) < plan.length[:, None]
    sizes = (plan.last_session & inside).sum(axis=1)
    assert set(sizes[~world.people.is_cold]) == {3, 4, 5, 6}


def test_a_session_keeps_its_scenario() -> None:
    _, plan = make(users=200, scenarios=3)
    changed = plan.scenario[:, 1:] != plan.scenario[:, :-1]
    assert changed.any()
    assert plan.starts[:, 1:][changed].all()


def test_sessions_are_apart_and_their_events_close() -> None:
    _, plan = make(users=500)
    gaps = np.diff(plan.timestamp, axis=1)
    inside = np.arange(1, gaps.shape[1] + 1) < plan.length[:, None]
    starts = plan.starts[:, 1:]
    assert np.median(gaps[starts & inside]) > 24 * 3600
    assert gaps[~starts & inside].max() < 400
