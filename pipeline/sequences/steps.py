"""The steps that look at one shard after the other, and their files."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.pvalue import TaggedOutput

from pipeline.sequences import shards
from pipeline.sequences.partition import Part, read_parts, write_table
from pipeline.sequences.records import to_examples
from pipeline.sequences.shards import SplitFacts
from pipeline.sequences.summary import summary_of
from schema import features
from trainer.config import DataConfig
from trainer.tables.review import Review
from trainer.tables.users import check_scenarios, check_users

# Outputs beside the main one.
SUMMARIES, COUNTS, SPANS = "summaries", "counts", "spans"


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
        reads_text: whether a model is to read the events' texts.
    """

    data: DataConfig
    seed: int
    now: int
    user_shards: int
    item_shards: int
    folder: str
    rejects: str
    reads_text: bool = False

    def rejects_file(self, table: str, shard: int, count: int) -> str:
        """Where the rejects of one shard go."""
        name = f"{table}-{shard:05d}-of-{count:05d}.csv"
        return FileSystems.join(self.rejects, name)


def read_shard(path: str) -> pa.Table:
    return read_parts([Part(path, 0)])[0]


def write_shard(table: pa.Table, folder: str, name: str) -> str:
    path = FileSystems.join(folder, name)
    batches = table.combine_chunks().to_batches()
    empty = pa.RecordBatch.from_pylist([], schema=table.schema)
    write_table(path, batches or [empty])
    return path


@functools.lru_cache(maxsize=2)
def _item_ids(files: tuple[tuple[int, str], ...]) -> list[pa.Array]:
    """Ids by item shard, read once per worker."""
    return [
        read_shard(path)[features.ITEM_ID].combine_chunks() for _, path in files
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
        yield TaggedOutput(SUMMARIES, (name, summary_of(review)))


class ReviewItems(_ShardFn):
    """(shard, parts) -> (shard, file of good items); summaries beside."""

    def process(self, element: tuple[int, dict[str, Any]]) -> Iterator[Any]:
        """Takes one shard."""
        shard, found = element
        tables = read_parts(found[features.ITEMS])
        review = shards.open_review(tables, features.ITEMS)
        if review is not None:
            name = f"items-{shard:05d}.arrow"
            yield shard, write_shard(
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
                events, users, ids.to_pylist(), plan.now,
                reads_text=plan.reads_text,
            )
            name = f"users-{shard:05d}.arrow"
            yield shard, write_shard(table, plan.folder, name)
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
            read_shard(element[1]), plan.data.split, facts, plan.seed
        )
        yield TaggedOutput(SPANS, shards.spans_of(users))
        item_files = sorted(item_files)
        ids = _item_ids(tuple(item_files))
        counts = shards.train_counts(users, pa.concat_arrays(ids))
        cuts = np.cumsum([len(part) for part in ids])[:-1]
        for (item_shard, _), part in zip(
            item_files, np.split(counts, cuts), strict=True
        ):
            yield TaggedOutput(COUNTS, (item_shard, part))
        yield from to_examples(users)


def catalogue_examples(
    element: tuple[int, dict[str, list[Any]]]
) -> Iterator[bytes]:
    _, found = element
    table = read_shard(found["file"][0])
    counts = (
        found["counts"][0]
        if found["counts"]
        else np.zeros(table.num_rows, np.int64)
    )
    yield from to_examples(
        table.append_column(shards.TRAIN_EVENTS, pa.array(counts, pa.int64()))
    )
