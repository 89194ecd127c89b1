"""Turns a planted world and its log into tables of the data contract."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from schema import features
from trainer.sample.config import DAY, FIRST_MOMENT, Array, SampleConfig
from trainer.sample.events import Log
from trainer.sample.text import (
    ItemText,
    Language,
    write_copy,
    write_item,
    write_profile,
)
from trainer.sample.words_en import ENGLISH
from trainer.sample.words_zh import CHINESE
from trainer.sample.world import EVENT_TYPES, World

Table = dict[str, list[Any]]  # column -> one value per row, None where missing

LANGUAGES: dict[str, Language] = {"en": ENGLISH, "zh": CHINESE}

_NO_BRAND = 0.1  # share of items that lack the column, beside all cold ones
_NO_PROFILE = 0.2  # share of users without a profile; cold users all have one
_AGE_DAYS = 300  # warm items became available up to so long before the log


def _at(values: list[str] | tuple[str, ...], codes: Array) -> list[str]:
    return [values[code] for code in codes.tolist()]


def _sorted_by(table: Table, key: str) -> Table:
    """Rows in the order of their opaque id, so that place tells nothing."""
    order = np.argsort(np.array(table[key]), kind="stable").tolist()
    return {name: [rows[i] for i in order] for name, rows in table.items()}


def _write_texts(
    world: World, language: Language, draw: random.Random
) -> list[ItemText]:
    """The text of every item by code; an original comes before its copy."""
    taken: set[str] = set()
    texts: list[ItemText] = []
    catalogue = world.catalogue
    for topic, original in zip(catalogue.topic, catalogue.copy_of, strict=True):
        if original >= 0:
            text = write_copy(language, texts[original], draw, taken)
        else:
            text = write_item(language, language.topics[topic], draw, taken)
        texts.append(text)
    return texts


def items_table(world: World, config: SampleConfig, log: Log) -> Table:
    """The catalogue; cold items lack all columns that are not free text."""
    language = LANGUAGES[config.language]
    draw = random.Random(f"items {config.seed}")
    catalogue = world.catalogue
    table: Table = {name: [] for name in features.COLUMNS[features.ITEMS]}
    texts = _write_texts(world, language, draw)
    for code, text in enumerate(texts):
        is_cold = bool(catalogue.is_cold[code])
        category = language.topics[catalogue.topic[code]].category
        no_brand = is_cold or draw.random() < _NO_BRAND
        age = draw.randint(1, _AGE_DAYS * DAY)
        table[features.ITEM_ID].append(catalogue.ids[code])
        table[features.TITLE].append(text.title)
        table[features.DESCRIPTION].append(text.description)
        table[features.KEYWORDS].append(text.keywords)
        table[features.CATEGORIES].append("" if is_cold else category)
        table[features.BRAND].append("" if no_brand else text.brand)
        table[features.PRICE].append(round(math.exp(draw.gauss(3.5, 0.8)), 2))
        # Cold items open with the test span: all their events are after it.
        table[features.AVAILABLE_FROM].append(
            log.test_from if is_cold else FIRST_MOMENT - age
        )
    return _sorted_by(table, features.ITEM_ID)


def users_table(world: World, config: SampleConfig) -> Table:
    """Profiles name the long-term interests, never the short-term one."""
    language = LANGUAGES[config.language]
    draw = random.Random(f"users {config.seed}")
    people = world.people
    profiles = []
    for interests, is_cold in zip(
        people.long_term, people.is_cold, strict=True
    ):
        topics = [language.topics[topic] for topic in interests]
        profile = write_profile(language, topics, draw)
        silent = draw.random() < _NO_PROFILE and not is_cold
        profiles.append("" if silent else profile)
    table: Table = {
        features.USER_ID: list(people.ids), features.PROFILE: profiles
    }
    return _sorted_by(table, features.USER_ID)


def scenarios_table(world: World, config: SampleConfig) -> Table:
    """What each scenario is, in the language of the sample."""
    names = world.scenarios.names
    descriptions = LANGUAGES[config.language].scenarios
    return {
        features.SCENARIO: list(names),
        features.DESCRIPTION: [descriptions[name] for name in names],
    }


def _queries(world: World, config: SampleConfig, log: Log) -> list[str]:
    """What was typed: a noun of the topic that a search is for.

    In the scenario `search` all other events tell a noun of their own topic;
    elsewhere they say nothing.
    """
    draw = random.Random(f"queries {config.seed}")
    topics = LANGUAGES[config.language].topics
    names = _at(world.scenarios.names, log.scenario)
    asked = np.where(log.asks_for >= 0, log.asks_for, log.topic).tolist()
    speaks = [
        name == "search" or is_search
        for name, is_search in zip(names, log.asks_for >= 0, strict=True)
    ]
    return [
        draw.choice(topics[topic].nouns) if says else ""
        for says, topic in zip(speaks, asked, strict=True)
    ]


def events_table(world: World, config: SampleConfig, log: Log) -> Table:
    """The log in the order of time; `split` cuts it at two moments."""
    spans = np.searchsorted(
        [log.validation_from, log.test_from], log.timestamp, side="right"
    )
    ratings = log.rating.tolist()
    return {
        features.USER_ID: _at(world.people.ids, log.user),
        features.ITEM_ID: _at(world.catalogue.ids, log.item),
        features.TIMESTAMP: log.timestamp.tolist(),
        features.EVENT_TYPE: _at((*EVENT_TYPES, "search"), log.event_type),
        features.SCENARIO: _at(world.scenarios.names, log.scenario),
        features.RATING: [None if math.isnan(r) else int(r) for r in ratings],
        features.TEXT: _queries(world, config, log),
        features.POSITION: log.position.tolist(),
        features.SPLIT: _at(features.SPLITS, spans),
    }


def all_tables(
    world: World, config: SampleConfig, log: Log
) -> dict[str, Table]:
    """The four clean tables by name."""
    return {
        features.EVENTS: events_table(world, config, log),
        features.ITEMS: items_table(world, config, log),
        features.USERS: users_table(world, config),
        features.SCENARIOS: scenarios_table(world, config),
    }
