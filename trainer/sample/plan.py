"""Plans when the people of a planted world act, and in which scenario.

Arrays are [users, steps]; steps beyond a user's length are there and unused.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.sample.config import (
    DAY,
    FIRST_MOMENT,
    LAST_MOMENT,
    Array,
    SampleConfig,
)
from trainer.sample.world import People, World, draw_rows

_LAST_SESSION = (3, 6)  # events, shortest and longest
_NEW_SESSION = 0.22  # chance that an event starts a session
_RECENT_USERS = 0.5  # share of users whose last event is in the last tenth
_LAST_TENTH = (LAST_MOMENT - FIRST_MOMENT) // 10
_WITHIN_SESSION = (15, 400)  # seconds to the next event


@dataclasses.dataclass(frozen=True)
class Plan:
    """When users act, before it is known on what.

    Attributes:
        length: [users] int events.
        starts: [users, steps] bool, the step begins a session.
        last_session: [users, steps] bool, the step is in the last session.
        scenario: [users, steps] int, the same throughout a session.
        timestamp: [users, steps] int unix seconds, rising along a row.
    """

    length: Array
    starts: Array
    last_session: Array
    scenario: Array
    timestamp: Array


def _lengths(
    people: People, config: SampleConfig, rng: np.random.Generator
) -> Array:
    mean = config.events_per_user
    usual = rng.gamma(2.0, mean / 2, len(people.ids)).round()
    usual = usual.clip(min(5, mean), 4 * mean).astype(int)
    return np.where(people.is_cold, rng.integers(1, 3, len(usual)), usual)


def _scenario_steps(
    starts: Array, num_scenarios: int, rng: np.random.Generator
) -> Array:
    """Each session's scenario, by the habit of its user."""
    habit = rng.dirichlet(np.ones(num_scenarios), len(starts))
    scenario = np.empty(starts.shape, int)
    for step in range(starts.shape[1]):
        fresh = draw_rows(habit, rng)
        before = scenario[:, max(step - 1, 0)]
        scenario[:, step] = np.where(starts[:, step], fresh, before)
    return scenario


def _timestamps(
    people: People,
    length: Array,
    starts: Array,
    rng: np.random.Generator,
) -> Array:
    """Rising moments; the last one of a user is at the end drawn for it."""
    users, steps = starts.shape
    recent = people.is_cold | (rng.random(users) < _RECENT_USERS)
    earliest = np.where(recent, LAST_MOMENT - _LAST_TENTH, FIRST_MOMENT + DAY)
    end = (earliest + rng.random(users) * (LAST_MOMENT - earliest)).astype(int)
    span = (end - FIRST_MOMENT) * rng.uniform(0.3, 0.95, users)
    inside = np.arange(steps) < length[:, None]
    breaks = np.where(starts & inside, rng.exponential(size=starts.shape), 0)
    breaks[:, 0] = 0
    breaks *= (span / np.maximum(breaks.sum(axis=1), 1e-9))[:, None]
    seconds = rng.integers(*_WITHIN_SESSION, starts.shape)
    gaps = np.where(starts, breaks, seconds)
    gaps *= np.minimum(1, span / (gaps * inside).sum(axis=1).clip(1))[:, None]
    passed = np.maximum(gaps.astype(np.int64), 1).cumsum(axis=1)
    return end[:, None] - (passed[np.arange(users), length - 1, None] - passed)


def plan_histories(
    world: World, config: SampleConfig, rng: np.random.Generator
) -> Plan:
    """Draws lengths, sessions, scenarios and moments of all users."""
    length = _lengths(world.people, config, rng)
    step = np.arange(length.max())
    low, high = _LAST_SESSION
    final = rng.integers(low, high + 1, len(length))
    final_start = np.maximum(length - final, 0)[:, None]
    last_session = step >= final_start
    starts = rng.random(last_session.shape) < _NEW_SESSION
    starts = (starts & ~last_session) | (step == 0) | (step == final_start)
    num_scenarios = len(world.scenarios.names)
    return Plan(
        length=length,
        starts=starts,
        last_session=last_session,
        scenario=_scenario_steps(starts, num_scenarios, rng),
        timestamp=_timestamps(world.people, length, starts, rng),
    )
