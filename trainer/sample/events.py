"""Lets the people of a planted world act: the events of the sample logs.

A history is a row of sessions, each in one scenario and mostly on one topic.
The last session is the user's short-term interest, so its events follow it and
not the long-term mix. Arrays are [users, steps] until the end; steps beyond a
user's length are computed and thrown away.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.sample.config import Array, SampleConfig
from trainer.sample.plan import Plan, plan_histories
from trainer.sample.world import Catalogue, World, draw_rows

_TIES = 0.05  # share of events at the very second of the one before
_REPEAT_REACH = 5  # events back that a repeat may return to
_REDRAWS = 12  # times that an item which the user knows is drawn again

# Cold items take this share of the last events in the last 8 % of the log,
# which keeps them clear of a test span of a tenth, however ties are cut.
COLD_TARGET_SHARE = 0.4
_COLD_SPAN = 0.08
_TEST_SHARE = _VALIDATION_SHARE = 0.1

_RATINGS = np.array([1, 2, 3, 4, 5])
_RATING_IF_FIT = (0.0, 0.02, 0.08, 0.35, 0.55)
_RATING_IF_MISFIT = (0.35, 0.35, 0.2, 0.1, 0.0)
_PURCHASE = 3  # code in EVENT_TYPES
SEARCH = 4  # the one after them: a search is planted, not drawn


@dataclasses.dataclass(frozen=True)
class Log:
    """Events in the order of time, then of position; codes are the world's.

    Attributes:
        user, item, scenario, event_type, position: [events] int.
        topic: [events] int topic of the item.
        timestamp: [events] int unix seconds.
        rating: [events] float, nan where nothing was bought.
        is_repeat: [events] bool, the user has had the item before.
        is_last: [events] bool, the user's last event.
        asks_for: [events] int topic that a search is for, -1 for no search.
        validation_from, test_from: first moments of the spans of the split.
    """

    user: Array
    item: Array
    scenario: Array
    event_type: Array
    position: Array
    topic: Array
    timestamp: Array
    rating: Array
    is_repeat: Array
    is_last: Array
    asks_for: Array
    validation_from: int
    test_from: int


def _walk_topics(
    world: World, plan: Plan, config: SampleConfig, rng: np.random.Generator
) -> Array:
    """The topic of every step, [users, steps]."""
    people = world.people
    users, steps = plan.starts.shape
    topic = np.empty(plan.starts.shape, int)
    session = people.short_term
    for step in range(steps):
        favour = world.scenarios.favour[plan.scenario[:, step]]
        by_taste = draw_rows(people.taste * favour, rng)
        follows = (rng.random(users) < config.transition) & (step > 0)
        fresh = np.where(follows, world.next_topic[session], by_taste)
        session = np.where(plan.starts[:, step], fresh, session)
        session = np.where(
            plan.last_session[:, step], people.short_term, session
        )
        stays = rng.random(users) < config.focus
        elsewhere = draw_rows(people.taste * favour, rng)
        topic[:, step] = np.where(stays, session, elsewhere)
    return topic


class _ItemDraw:
    """Draws warm items of given topics by their popularity."""

    def __init__(self, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self._rng = rng
        self._codes = np.argsort(catalogue.topic, kind="stable")
        self._edges = catalogue.weight[self._codes].cumsum()
        sizes = np.bincount(catalogue.topic)
        ends = self._edges[sizes.cumsum() - 1]
        self._low = np.concatenate([[0.0], ends[:-1]])
        self._mass = ends - self._low

    def __call__(self, topic: Array) -> Array:
        drawn = 1 - self._rng.random(len(topic))
        edge = self._low[topic] + drawn * self._mass[topic]
        place = np.searchsorted(self._edges, edge)
        return self._codes[place.clip(0, len(self._codes) - 1)]


def _choose_items(
    world: World,
    topic: Array,
    length: Array,
    repeats: float,
    rng: np.random.Generator,
) -> Array:
    """Items of the topics, new to the user where the topic has some left.

    Planned repeats return to one of the last items; never at the last event,
    so that it stays recommendable when seen items are left out.
    """
    draw = _ItemDraw(world.catalogue, rng)
    users, steps = topic.shape
    item = np.full(topic.shape, -1)
    rows = np.arange(users)
    for step in range(steps):
        chosen = draw(topic[:, step])
        for _ in range(_REDRAWS):
            known = (item[:, :step] == chosen[:, None]).any(axis=1)
            if not known.any():
                break
            chosen[known] = draw(topic[known, step])
        if step:
            back = rng.integers(1, min(step, _REPEAT_REACH) + 1, users)
            again = (rng.random(users) < repeats) & (step < length - 1)
            chosen = np.where(again, item[rows, step - back], chosen)
        item[:, step] = chosen
    return item


def _tie(
    plan: Plan, item: Array, rng: np.random.Generator
) -> Array:
    """Moments with some events at the very second of the one before.

    Only events on another item are tied, so that no two events are equal in
    all but their position. Ties come in pairs: an event takes the moment that
    the one before it had at first, and leaves it if that one is tied too.
    """
    is_tied = (rng.random(item.shape) < _TIES) & ~plan.starts
    is_tied[:, 1:] &= item[:, 1:] != item[:, :-1]
    before = np.roll(plan.timestamp, 1, axis=1)
    return np.where(is_tied, before, plan.timestamp)


def cold_from(log: Log) -> int:
    """The moment after which last events may be on cold items."""
    moments = np.sort(log.timestamp)
    return int(moments[int((1 - _COLD_SPAN) * len(moments))])


def _plant_cold_items(
    world: World, log: Log, rng: np.random.Generator
) -> Array:
    """Items of the log with cold ones of the same topic as some last events."""
    catalogue = world.catalogue
    late = log.is_last & (log.timestamp > cold_from(log))
    late &= ~world.people.is_cold[log.user]
    late &= rng.random(len(late)) < COLD_TARGET_SHARE
    cold = catalogue.is_cold[None, :] & (
        catalogue.topic[None, :] == np.arange(len(world.next_topic))[:, None]
    )
    late &= cold.any(axis=1)[log.topic]
    item = log.item.copy()
    for topic in np.unique(log.topic[late]):
        rows = np.flatnonzero(late & (log.topic == topic))
        codes = rng.permutation(np.flatnonzero(cold[topic]))
        item[rows] = np.resize(codes, len(rows))  # each about equally often
    return item


def _react(
    world: World, log: Log, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Event types and ratings: stronger and higher where the item fits."""
    people, scenarios = world.people, world.scenarios
    fits = (people.long_term[log.user] == log.topic[:, None]).any(axis=1)
    fits |= people.short_term[log.user] == log.topic
    event_type = draw_rows(
        np.where(
            fits[:, None],
            scenarios.type_if_fit[log.scenario],
            scenarios.type_if_misfit[log.scenario],
        ),
        rng,
    )
    odds = np.where(fits[:, None], _RATING_IF_FIT, _RATING_IF_MISFIT)
    rating = _RATINGS[draw_rows(odds, rng)].astype(float)
    return event_type, np.where(event_type == _PURCHASE, rating, np.nan)


def _repeats(user: Array, item: Array) -> Array:
    """Which events, in time order, repeat the user and item of one before."""
    pair = user.astype(np.int64) * (item.max() + 1) + item
    _, first = np.unique(pair, return_index=True)
    is_repeat = np.ones(len(pair), bool)
    is_repeat[first] = False
    return is_repeat


def _flatten(
    plan: Plan, item: Array, catalogue: Catalogue
) -> Log:
    """The log of all steps within the users' lengths, in the order of time."""
    step = np.arange(item.shape[1])
    user, position = np.nonzero(step < plan.length[:, None])
    order = np.lexsort((position, user, plan.timestamp[user, position]))
    user, position = user[order], position[order]
    timestamp = plan.timestamp[user, position]
    blank = np.zeros(len(user), int)
    test_row = int((1 - _TEST_SHARE) * len(user))
    validation_row = int((1 - _TEST_SHARE - _VALIDATION_SHARE) * len(user))
    return Log(
        user=user,
        item=item[user, position],
        scenario=plan.scenario[user, position],
        event_type=blank,
        position=position,
        topic=catalogue.topic[item[user, position]],
        timestamp=timestamp,
        rating=np.full(len(user), np.nan),
        is_repeat=blank.astype(bool),
        is_last=position == plan.length[user] - 1,
        asks_for=np.full(len(user), -1),
        validation_from=int(timestamp[validation_row]),
        test_from=int(timestamp[test_row]),
    )


def simulate(
    world: World, config: SampleConfig, rng: np.random.Generator
) -> Log:
    """Draws the whole log of a planted world."""
    plan = plan_histories(world, config, rng)
    topic = _walk_topics(world, plan, config, rng)
    item = _choose_items(world, topic, plan.length, config.repeats, rng)
    plan = dataclasses.replace(plan, timestamp=_tie(plan, item, rng))
    log = _flatten(plan, item, world.catalogue)
    log = dataclasses.replace(log, item=_plant_cold_items(world, log, rng))
    event_type, rating = _react(world, log, rng)
    return dataclasses.replace(
        log,
        event_type=event_type,
        rating=rating,
        is_repeat=_repeats(log.user, log.item),
    )
