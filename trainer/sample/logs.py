"""Makes sample logs: tables of the data contract, and the truth in them."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from trainer.sample.config import SampleConfig
from trainer.sample.events import Log, cold_from, simulate
from trainer.sample.faults import PlantedAnomaly, plant_faults
from trainer.sample.searches import plant_searches
from trainer.sample.tables import Table, all_tables
from trainer.sample.truth import describe
from trainer.sample.world import World, plant_world


@dataclasses.dataclass(frozen=True)
class Sample:
    """Tables of the data contract and the truth behind them.

    Attributes:
        config: what was asked for.
        world: the planted truth, by codes.
        log: the clean events, by codes.
        tables: events, items, users and scenarios; column -> values.
        truth: what truth.json holds.
    """

    config: SampleConfig
    world: World
    log: Log
    tables: dict[str, Table]
    truth: dict[str, Any]

    @functools.cached_property
    def cold_from(self) -> int:
        """The moment after which last events may be on cold items."""
        return cold_from(self.log)

    def item_topics(self) -> dict[str, int]:
        """The topic of each item by its id."""
        catalogue = self.world.catalogue
        return dict(zip(catalogue.ids, catalogue.topic.tolist(), strict=True))

    def cold_items(self) -> set[str]:
        """Ids of the items that no train span has."""
        catalogue = self.world.catalogue
        codes = np.flatnonzero(catalogue.is_cold).tolist()
        return {catalogue.ids[code] for code in codes}


def _listed(anomalies: list[PlantedAnomaly]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(anomaly) for anomaly in anomalies]


def generate(config: SampleConfig) -> Sample:
    """Makes sample logs; equal configurations give equal samples."""
    # One stream per step: bad rows and searches leave all else as it was.
    streams = np.random.SeedSequence(config.seed).spawn(4)
    for_world, for_log, for_faults, for_searches = map(
        np.random.default_rng, streams
    )
    world = plant_world(config, for_world)
    log = plant_searches(
        simulate(world, config, for_log), config.search_share, for_searches
    )
    tables, bad_rows, odd_texts = plant_faults(
        all_tables(world, config, log), config.bad_rows, for_faults
    )
    truth = {
        **describe(world, config, log),
        "anomalies": _listed(bad_rows),
        "odd_texts": _listed(odd_texts),
    }
    return Sample(config, world, log, tables, truth)
