"""The Beam graph: rows of tables in, sequences and a catalogue out."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import AsList, AsSingleton, TaggedOutput

from pipeline.sequences import shards
from pipeline.sequences.exact_rank import ExactRanks
from pipeline.sequences.partition import (
    Part,
    WriteParts,
    every_shard,
    read_parts,
    write_table,
)
from pipeline.sequences.records import to_examples
from pipeline.sequences.shards import Spans, SplitFacts
from pipeline.sequences.summary import MergeSummaries, summary_of
from schema import features
from trainer import behaviour, splits
from trainer.config import DataConfig
from trainer.tables.review import Review
from trainer.tables.users import check_scenarios, check_users

_DAY = 86_400
_LOTS = 1 << 16  # of users, in one bucket
_SUMMARIES, _COUNTS, _SPANS = "summaries", "counts", "spans"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What every step is told.

    Attributes:
        data: how rows are checked and split.
        seed: of the held-out validation users.
        now: unix seconds; later events are bad rows.
        user_shards, item_shards: how many.
        folder: for intermediate files, reached by all workers.
        rejects: folder of the rejects.
    """

    data: DataConfig
    seed: int
    now: int
    user_shards: int
    item_shards: int
    folder: str
    rejects: str

    def rejects_file(self, table: str, shard: int, count: int) -> str:
        """Where the rejects of one shard go."""
        name = f"{table}-{shard:05d}-of-{count:05d}.csv"
        return FileSystems.join(self.rejects, name)


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
        _SUMMARIES, main="files"
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
    ).with_outputs(_SUMMARIES, main="files")
    finished = users.files | "Finish" >> beam.ParDo(
        FinishUsers(plan), item_files, AsSingleton(_facts(users.files, plan))
    ).with_outputs(_COUNTS, _SPANS, main="examples")
    counts = finished[_COUNTS] | "AddCounts" >> beam.CombinePerKey(sum)
    catalogue = {"file": items.files, "counts": counts} | "Join" >> (
        beam.CoGroupByKey()
    )
    summaries = [items[_SUMMARIES], users[_SUMMARIES]]
    if features.SCENARIOS in tables:
        summaries.append(_review_scenarios(tables[features.SCENARIOS], plan))
    return Outputs(
        sequences=finished.examples,
        catalogue=catalogue | "Catalogue" >> beam.FlatMap(_catalogue_examples),
        summaries=summaries
        | beam.Flatten()
        | "MergeSummaries" >> beam.CombinePerKey(MergeSummaries()),
        spans=finished[_SPANS] | "MergeSpans" >> beam.CombineGlobally(_add_all),
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


def _facts(user_files: beam.PCollection, plan: Plan) -> beam.PCollection:
    """One SplitFacts, which takes a look at all users first."""
    data = plan.data
    if data.split == "leave_one_out":
        return user_files.pipeline | "NoFacts" >> beam.Create([SplitFacts()])
    if data.split == "time":
        ranks = functools.partial(
            _time_ranks, data.validation_share, data.test_share
        )
        return (
            user_files
            | "Times" >> beam.Map(_times)
            | "Moments" >> ExactRanks(ranks, _DAY)
            | "CutFacts" >> beam.Map(_cut_facts)
        )
    held_out = (
        user_files
        | "Lots" >> beam.Map(_lots, plan.seed)
        | "Limit"
        >> ExactRanks(
            functools.partial(_hold_out_ranks, data.validation_share), _LOTS
        )
    )
    has_validation = (
        user_files
        | "LookForValidation" >> beam.Map(_has_validation)
        | "AnyValidation" >> beam.CombineGlobally(any)
    )
    return held_out | "HoldOutFacts" >> beam.Map(
        _hold_out_facts, AsSingleton(has_validation)
    )


def _times(file: tuple[int, str]) -> np.ndarray:
    return shards.event_values(_read(file[1]), features.TIMESTAMP)


def _time_ranks(
    validation_share: float, test_share: float, count: int
) -> list[int]:
    return [
        splits.cut_rank(count, share) if share > 0 and count else -1
        for share in (validation_share + test_share, test_share)
    ]


def _cut_facts(moments: list[int | None]) -> SplitFacts:
    validation, test = (np.inf if m is None else float(m) for m in moments)
    return SplitFacts(validation_from=validation, test_from=test)


def _said_split(users: pa.Table) -> np.ndarray:
    if shards.SAID_SPLIT not in users.column_names:
        raise ValueError(
            "--split column needs a `split` column in the events table, and "
            "there is none; add it, or use --split time or leave_one_out."
        )
    return shards.event_values(users, shards.SAID_SPLIT)


def _has_validation(file: tuple[int, str]) -> bool:
    return bool((_said_split(_read(file[1])) == behaviour.VALIDATION).any())


def _lots(file: tuple[int, str], seed: int) -> np.ndarray:
    users = _read(file[1])
    may = splits.may_hold_out(_said_split(users), shards.starts_of(users))
    return shards.draws_of(users, seed)[may]


def _hold_out_ranks(share: float, count: int) -> list[int]:
    return [splits.hold_out_rank(count, share)]


def _hold_out_facts(limit: list[int | None], has_any: bool) -> SplitFacts:
    nobody = has_any or limit[0] is None
    return SplitFacts(hold_out_limit=-1 if nobody else int(limit[0] or 0))


def _review_scenarios(
    rows: beam.PCollection, plan: Plan
) -> beam.PCollection:
    return (
        _by_shard({features.SCENARIOS: rows}, features.SCENARIO, 1, plan.folder)
        | "ReviewScenarios" >> beam.ParDo(ReviewScenarios(plan))
    )


def _catalogue_examples(
    element: tuple[int, dict[str, list[Any]]]
) -> Iterator[bytes]:
    _, found = element
    table = _read(found["file"][0])
    counts = (
        found["counts"][0]
        if found["counts"]
        else np.zeros(table.num_rows, np.int64)
    )
    yield from to_examples(
        table.append_column(shards.TRAIN_EVENTS, pa.array(counts, pa.int64()))
    )


def _add_all(spans: Iterable[Spans]) -> Spans:
    total = Spans()
    for part in spans:
        total += part
    return total


def _read(path: str) -> pa.Table:
    return read_parts([Part(path, 0)])[0]


def _write(table: pa.Table, folder: str, name: str) -> str:
    path = FileSystems.join(folder, name)
    batches = table.combine_chunks().to_batches()
    empty = pa.RecordBatch.from_pylist([], schema=table.schema)
    write_table(path, batches or [empty])
    return path


@functools.lru_cache(maxsize=2)
def _item_ids(files: tuple[tuple[int, str], ...]) -> list[pa.Array]:
    """Ids by item shard, read once per worker."""
    return [
        _read(path)[features.ITEM_ID].combine_chunks() for _, path in files
    ]


def _write_rejects(review: Review, path: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = review.write_rejects(Path(folder))
        if written is not None:
            with FileSystems.create(path) as file:
                file.write(written.read_bytes())


class _ShardFn(beam.DoFn):
    """Base of the steps that look at one shard after the other."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def _finish(
        self, review: Review, shard: int, count: int
    ) -> Iterator[TaggedOutput]:
        name = review.table.name
        _write_rejects(review, self._plan.rejects_file(name, shard, count))
        yield TaggedOutput(_SUMMARIES, (name, summary_of(review)))


class ReviewItems(_ShardFn):
    """(shard, parts) -> (shard, file of good items); summaries beside."""

    def process(self, element: tuple[int, dict[str, Any]]) -> Iterator[Any]:
        """Takes one shard."""
        shard, found = element
        tables = read_parts(found[features.ITEMS])
        review = shards.open_review(tables, features.ITEMS)
        if review is not None:
            name = f"items-{shard:05d}.arrow"
            yield shard, _write(
                shards.item_table(review), self._plan.folder, name
            )
            yield from self._finish(review, shard, self._plan.item_shards)


class ReviewUsers(_ShardFn):
    """(shard, parts) -> (shard, file of users); summaries beside."""

    def process(
        self,
        element: tuple[int, dict[str, Any]],
        item_files: list[tuple[int, str]],
    ) -> Iterator[Any]:
        """Takes one shard."""
        shard, found = element
        plan = self._plan
        users = shards.open_review(
            read_parts(found.get(features.USERS, ())), features.USERS
        )
        events = shards.open_review(
            read_parts(found[features.EVENTS]), features.EVENTS
        )
        if events is not None:
            ids = pa.concat_arrays(_item_ids(tuple(sorted(item_files))))
            table = shards.user_table(
                events, users, ids.to_pylist(), plan.now
            )
            name = f"users-{shard:05d}.arrow"
            yield shard, _write(table, plan.folder, name)
            yield from self._finish(events, shard, plan.user_shards)
        elif users is not None:
            check_users(users)  # counted, though nobody has events
        if users is not None:
            yield from self._finish(users, shard, plan.user_shards)


class ReviewScenarios(_ShardFn):
    """(shard, parts) -> (table, summary)."""

    def process(self, element: tuple[int, dict[str, Any]]) -> Iterator[Any]:
        """Takes the one shard."""
        shard, found = element
        tables = read_parts(found[features.SCENARIOS])
        review = shards.open_review(tables, features.SCENARIOS)
        if review is not None:
            check_scenarios(review)
            for output in self._finish(review, shard, 1):
                yield output.value


class FinishUsers(_ShardFn):
    """(shard, file) -> tf.Examples; train counts and spans beside."""

    def process(
        self,
        element: tuple[int, str],
        item_files: list[tuple[int, str]],
        facts: SplitFacts,
    ) -> Iterator[Any]:
        """Takes one shard."""
        plan = self._plan
        users = shards.add_split(
            _read(element[1]), plan.data.split, facts, plan.seed
        )
        yield TaggedOutput(_SPANS, shards.spans_of(users))
        item_files = sorted(item_files)
        ids = _item_ids(tuple(item_files))
        counts = shards.train_counts(users, pa.concat_arrays(ids))
        cuts = np.cumsum([len(part) for part in ids])[:-1]
        for (item_shard, _), part in zip(
            item_files, np.split(counts, cuts), strict=True
        ):
            yield TaggedOutput(_COUNTS, (item_shard, part))
        yield from to_examples(users)
