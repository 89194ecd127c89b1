"""The Beam graph: rows of tables in, sequences and a catalogue out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton

from pipeline.sequences.partition import WriteParts, every_shard
from pipeline.sequences.shards import Spans
from pipeline.sequences.split_facts import split_facts
from pipeline.sequences.steps import (
    COUNTS,
    SPANS,
    SUMMARIES,
    FinishUsers,
    Plan,
    ReviewItems,
    ReviewScenarios,
    ReviewUsers,
    catalogue_examples,
)
from pipeline.sequences.summary import MergeSummaries
from schema import features


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What the graph makes.

    Attributes:
        sequences, catalogue: serialized tf.Examples.
        summaries: (table, TableSummary), one per table.
        spans: one Spans of everything.
    """

    sequences: beam.PCollection
    catalogue: beam.PCollection
    summaries: beam.PCollection
    spans: beam.PCollection


def build(tables: dict[str, beam.PCollection], plan: Plan) -> Outputs:
    """Builds the graph.

    Args:
        tables: by name, PCollections of Arrow tables; users and scenarios may
            be missing.
        plan: for every step.
    """
    items = _by_shard(
        {features.ITEMS: tables[features.ITEMS]},
        features.ITEM_ID, plan.item_shards, plan.folder,
    ) | "ReviewItems" >> beam.ParDo(ReviewItems(plan)).with_outputs(
        SUMMARIES, main="files"
    )
    item_files = AsList(items.files)
    users = _by_shard(
        {
            name: tables[name]
            for name in (features.EVENTS, features.USERS)
            if name in tables
        },
        features.USER_ID, plan.user_shards, plan.folder,
    ) | "ReviewUsers" >> beam.ParDo(
        ReviewUsers(plan), item_files
    ).with_outputs(SUMMARIES, main="files")
    facts = AsSingleton(split_facts(users.files, plan))
    finished = users.files | "Finish" >> beam.ParDo(
        FinishUsers(plan), item_files, facts
    ).with_outputs(COUNTS, SPANS, main="examples")
    counts = finished[COUNTS] | "AddCounts" >> beam.CombinePerKey(sum)
    catalogue = {"file": items.files, "counts": counts} | "Join" >> (
        beam.CoGroupByKey()
    )
    summaries = [items[SUMMARIES], users[SUMMARIES]]
    if features.SCENARIOS in tables:
        summaries.append(_review_scenarios(tables[features.SCENARIOS], plan))
    return Outputs(
        sequences=finished.examples,
        catalogue=catalogue | "Catalogue" >> beam.FlatMap(catalogue_examples),
        summaries=summaries
        | beam.Flatten()
        | "MergeSummaries" >> beam.CombinePerKey(MergeSummaries()),
        spans=finished[SPANS] | "MergeSpans" >> beam.CombineGlobally(_add_all),
    )


def _by_shard(
    tables: dict[str, beam.PCollection], key: str, count: int, folder: str
) -> beam.PCollection:
    """(shard, {table: [Part]}) for every shard, rows or none."""
    pipeline = next(iter(tables.values())).pipeline
    label = "+".join(tables)
    grouped: dict[str, beam.PCollection] = {
        name: rows
        | f"Part({name})" >> beam.ParDo(WriteParts(key, count, folder))
        for name, rows in tables.items()
    }
    grouped["every"] = pipeline | f"Every({label})" >> beam.Create(
        every_shard(count)
    )
    return grouped | f"Group({label})" >> beam.CoGroupByKey()


def _review_scenarios(
    rows: beam.PCollection, plan: Plan
) -> beam.PCollection:
    return (
        _by_shard({features.SCENARIOS: rows}, features.SCENARIO, 1, plan.folder)
        | "ReviewScenarios" >> beam.ParDo(ReviewScenarios(plan))
    )


def _add_all(spans: Iterable[Spans]) -> Spans:
    total = Spans()
    for part in spans:
        total += part
    return total
