"""Writes down what was planted in sample logs: most of truth.json."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from trainer.sample.config import FIRST_MOMENT, LAST_MOMENT, SampleConfig
from trainer.sample.events import Log
from trainer.sample.tables import LANGUAGES
from trainer.sample.world import World


def _topics_truth(world: World, config: SampleConfig) -> list[dict[str, Any]]:
    topics = LANGUAGES[config.language].topics
    return [
        {"name": topics[code].name, "category": topics[code].category,
         "next": following}
        for code, following in enumerate(world.next_topic.tolist())
    ]


def _items_truth(world: World) -> dict[str, Any]:
    catalogue = world.catalogue
    return {
        item: {
            "topic": int(catalogue.topic[code]),
            "weight": round(float(catalogue.weight[code]), 6),
            "is_cold": bool(catalogue.is_cold[code]),
            "copy_of": catalogue.ids[original] if original >= 0 else None,
        }
        for code, (item, original) in enumerate(
            zip(catalogue.ids, catalogue.copy_of.tolist(), strict=True)
        )
    }


def _users_truth(world: World) -> dict[str, Any]:
    people = world.people
    return {
        user: {
            "long_term": people.long_term[code].tolist(),
            "short_term": int(people.short_term[code]),
            "is_cold": bool(people.is_cold[code]),
        }
        for code, user in enumerate(people.ids)
    }


def _targets_truth(world: World, log: Log) -> dict[str, Any]:
    """The last event of each user: what a recommender should foresee."""
    return {
        world.people.ids[log.user[row]]: {
            "item": world.catalogue.ids[log.item[row]],
            "topic": int(log.topic[row]),
            "scenario": world.scenarios.names[log.scenario[row]],
        }
        for row in np.flatnonzero(log.is_last).tolist()
    }


def describe(world: World, config: SampleConfig, log: Log) -> dict[str, Any]:
    """Everything planted in a clean log, ready for JSON; topics are numbers."""
    favour = world.scenarios.favour
    favourites = [np.flatnonzero(row > row.min()).tolist() for row in favour]
    is_single = log.is_last & (log.position == 0)
    return {
        "config": dataclasses.asdict(config),
        "spans": {
            "first": FIRST_MOMENT,
            "validation_from": log.validation_from,
            "test_from": log.test_from,
            "last": LAST_MOMENT,
        },
        "topics": _topics_truth(world, config),
        "scenarios": dict(
            zip(world.scenarios.names, favourites, strict=True)
        ),
        "items": _items_truth(world),
        "users": _users_truth(world),
        "targets": _targets_truth(world, log),
        "counts": {
            "events": len(log.user),
            "searches": int((log.asks_for >= 0).sum()),
            "repeats": int(log.is_repeat.sum()),
            "single_event_users": int(is_single.sum()),
        },
    }
