"""Sample logs with planted truth, for the demo and the tests.

Everything that a recommender could learn from the logs is planted and written
down in truth.json: the topic of each item, long- and short-term interests,
what each scenario favours, which topic follows which, who and what is cold,
and which rows are bad. A test can so ask whether a model has found it.

Example:
    python -m trainer.sample runs/sample --users 2000 --items 500 --seed 0
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np

from schema import features
from trainer.sample_config import FIRST_MOMENT, LAST_MOMENT, SampleConfig
from trainer.sample_events import Log, cold_from, simulate
from trainer.sample_faults import PlantedAnomaly, plant_faults
from trainer.sample_files import FORMATS, write_tables
from trainer.sample_tables import (
    LANGUAGES,
    Table,
    events_table,
    items_table,
    scenarios_table,
    users_table,
)
from trainer.sample_world import World, plant_world

__all__ = ["Sample", "SampleConfig", "generate", "main"]

_EXAMPLES = """examples:
  python -m trainer.sample runs/sample
  python -m trainer.sample runs/zh --language zh --scenarios 1 --seed 7
  python -m trainer.sample runs/bad --bad-rows 0.005 --format parquet
"""


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


def _truth(world: World, config: SampleConfig, log: Log) -> dict[str, Any]:
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
            "repeats": int(log.is_repeat.sum()),
            "single_event_users": int(is_single.sum()),
        },
    }


def _listed(anomalies: list[PlantedAnomaly]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(anomaly) for anomaly in anomalies]


def generate(config: SampleConfig) -> Sample:
    """Makes sample logs; equal configurations give equal samples."""
    # One stream per step: bad rows leave the clean log as it was.
    streams = np.random.SeedSequence(config.seed).spawn(3)
    for_world, for_log, for_faults = map(np.random.default_rng, streams)
    world = plant_world(config, for_world)
    log = simulate(world, config, for_log)
    clean = {
        features.EVENTS: events_table(world, config, log),
        features.ITEMS: items_table(world, config, log),
        features.USERS: users_table(world, config),
        features.SCENARIOS: scenarios_table(world, config),
    }
    tables, bad_rows, odd_texts = plant_faults(
        clean, config.bad_rows, for_faults
    )
    truth = {
        **_truth(world, config, log),
        "anomalies": _listed(bad_rows),
        "odd_texts": _listed(odd_texts),
    }
    return Sample(config, world, log, tables, truth)


def _parser() -> argparse.ArgumentParser:
    """One flag per field of `SampleConfig`, with its range and default."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer.sample",
        description="Writes sample logs with planted truth.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out_dir", type=Path, help="folder, made if missing")
    hints = get_type_hints(SampleConfig)
    for field in dataclasses.fields(SampleConfig):
        choices = get_args(hints[field.name])
        low, high = field.metadata["low"], field.metadata["high"]
        bounds = "" if choices else f"from {low} "
        bounds += "" if high is None else f"to {high}"
        note = f"{bounds.strip()}; default {field.default}".strip("; ")
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=str if choices else hints[field.name],
            choices=choices or None,
            default=field.default,
            help=f"{field.metadata['help']} ({note})",
        )
    parser.add_argument(
        "--format", choices=list(FORMATS), default="csv",
        help="of the tables (default csv)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; bad settings end with exit code 2."""
    parser = _parser()
    flags = vars(parser.parse_args(argv))
    out_dir, kind = flags.pop("out_dir"), flags.pop("format")
    try:
        sample = generate(SampleConfig(**flags))
        write_tables(sample.tables, sample.truth, out_dir, kind)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    rows = ", ".join(
        f"{len(next(iter(table.values())))} {name}"
        for name, table in sample.tables.items()
    )
    sys.stdout.write(f"{out_dir}: {rows}, and truth.json\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
