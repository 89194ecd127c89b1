"""Plants the truth behind the sample logs: items, people and scenarios.

All arrays are indexed by codes; ids are drawn so that they tell nothing.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from trainer.sample.config import Array, SampleConfig

EVENT_TYPES = ("view", "click", "cart", "purchase")  # weakest first

# Probability of each event type where the item fits the user's interests.
_TYPES_BY_SCENARIO = {
    "home": (0.55, 0.35, 0.05, 0.05),
    "search": (0.20, 0.50, 0.15, 0.15),
    "deals": (0.25, 0.25, 0.25, 0.25),
    "feed": (0.80, 0.15, 0.03, 0.02),
    "email": (0.10, 0.75, 0.05, 0.10),
    "cart_page": (0.10, 0.20, 0.40, 0.30),
}
# Where it does not fit, strong events get rarer by these factors.
_MISFIT = np.array([1.0, 0.6, 0.3, 0.3])

_FAVOUR = 8.0  # how much more a scenario shows one of its favourite topics


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Items by code. Codes go around the topics: topic = code mod topics.

    Attributes:
        ids: [items] distinct, in an order that tells nothing.
        topic: [items] int.
        weight: [items] float popularity within the topic; 0 for cold items.
        is_cold: [items] bool.
        copy_of: [items] int code of the original of a near-duplicate, else -1.
    """

    ids: list[str]
    topic: Array
    weight: Array
    is_cold: Array
    copy_of: Array


@dataclasses.dataclass(frozen=True)
class People:
    """Users by code; the last ones are cold.

    Attributes:
        ids: [users] distinct, in an order that tells nothing.
        long_term: [users, 2] int topics; both the same in a world of one topic.
        taste: [users, topics] float, the mix that most events are drawn from;
            rows sum to 1.
        short_term: [users] int topic of the last session.
        is_cold: [users] bool.
    """

    ids: list[str]
    long_term: Array
    taste: Array
    short_term: Array
    is_cold: Array


@dataclasses.dataclass(frozen=True)
class Scenarios:
    """Scenarios by code.

    Attributes:
        names: [scenarios].
        favour: [scenarios, topics] float factor on a user's taste.
        type_if_fit: [scenarios, event types] float, rows sum to 1.
        type_if_misfit: the same where the item does not fit the user.
    """

    names: list[str]
    favour: Array
    type_if_fit: Array
    type_if_misfit: Array


@dataclasses.dataclass(frozen=True)
class World:
    """The whole truth.

    Attributes:
        next_topic: [topics] int, the topic that a session's topic leads to; one
            cycle through all topics.
    """

    catalogue: Catalogue
    people: People
    scenarios: Scenarios
    next_topic: Array


def _opaque_ids(prefix: str, count: int, rng: np.random.Generator) -> list[str]:
    width = max(4, len(str(count)))
    return [f"{prefix}{n:0{width}d}" for n in rng.permutation(count) + 1]


def draw_rows(weights: Array, rng: np.random.Generator) -> Array:
    """Draws one column per row, with probability proportional to its weight.

    Args:
        weights: [rows, columns] float, at least one above 0 in each row.

    Returns:
        [rows] int columns.
    """
    edges = weights.cumsum(axis=1)
    # 1 - random() is in (0, 1]: a column of weight 0 is never drawn.
    drawn = (1 - rng.random(len(weights))) * edges[:, -1]
    return (edges < drawn[:, None]).sum(axis=1).clip(0, weights.shape[1] - 1)


def _plant_catalogue(
    config: SampleConfig, num_topics: int, rng: np.random.Generator
) -> Catalogue:
    codes = np.arange(config.items)
    rank = codes // num_topics  # within the topic, 0 is the most popular
    # The least popular ones are cold; a topic's first item never is.
    num_cold = min(
        int(config.cold_items * config.items), config.items - num_topics
    )
    is_cold = codes >= config.items - num_cold
    # Odd ranks copy the rank before, so that no copy has a copy.
    num_copies = int(config.near_duplicates * config.items)
    copies = rng.permutation(codes[rank % 2 == 1])[:num_copies]
    copy_of = np.full(config.items, -1)
    copy_of[copies] = copies - num_topics
    return Catalogue(
        ids=_opaque_ids("i", config.items, rng),
        topic=codes % num_topics,
        weight=np.where(is_cold, 0.0, (rank + 1.0) ** -config.skew),
        is_cold=is_cold,
        copy_of=copy_of,
    )


def _plant_people(
    config: SampleConfig, num_topics: int, rng: np.random.Generator
) -> People:
    popularity = (np.arange(num_topics) + 1.0) ** -0.5
    popularity /= popularity.sum()
    # Gumbel noise on log weights: the best three are three draws without
    # replacement. The third, outside the mix, is the short-term interest.
    noise = rng.gumbel(size=(config.users, num_topics))
    order = np.argsort(-(np.log(popularity) + noise), axis=1)
    drawn = order[:, np.minimum([0, 1, 2], num_topics - 1)]
    is_cold = np.zeros(config.users, bool)
    is_cold[config.users - int(config.cold_users * config.users):] = True
    first_share = rng.uniform(0.5, 0.7, config.users)
    taste = np.tile(0.1 * popularity, (config.users, 1))
    rows = np.arange(config.users)
    np.add.at(taste, (rows, drawn[:, 0]), 0.9 * first_share)
    np.add.at(taste, (rows, drawn[:, 1]), 0.9 * (1 - first_share))
    return People(
        ids=_opaque_ids("u", config.users, rng),
        long_term=drawn[:, :2],
        taste=taste,
        # A cold user does at once what the profile says.
        short_term=np.where(is_cold, drawn[:, 0], drawn[:, 2]),
        is_cold=is_cold,
    )


def _plant_scenarios(
    count: int, num_topics: int, rng: np.random.Generator
) -> Scenarios:
    names = list(_TYPES_BY_SCENARIO)[:count]
    favour = np.ones((count, num_topics))
    for row in favour:
        row[rng.permutation(num_topics)[: max(1, num_topics // 4)]] = _FAVOUR
    fit = np.array([_TYPES_BY_SCENARIO[name] for name in names])
    misfit = fit * _MISFIT
    return Scenarios(
        names=names,
        favour=favour,
        type_if_fit=fit,
        type_if_misfit=misfit / misfit.sum(axis=1, keepdims=True),
    )


def plant_world(config: SampleConfig, rng: np.random.Generator) -> World:
    """Plants everything that the events and texts are later drawn from."""
    num_topics = min(config.topics, config.items)
    cycle = rng.permutation(num_topics)
    next_topic = np.empty(num_topics, int)
    next_topic[cycle] = np.roll(cycle, -1)
    return World(
        catalogue=_plant_catalogue(config, num_topics, rng),
        people=_plant_people(config, num_topics, rng),
        scenarios=_plant_scenarios(config.scenarios, num_topics, rng),
        next_topic=next_topic,
    )
