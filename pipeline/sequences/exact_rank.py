"""Exact order statistics of any number of integers, in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import apache_beam as beam
import numpy as np

Ranks = Callable[[int], list[int]]


class _Merge(beam.CombineFn):
    """Adds counters up."""

    def create_accumulator(self) -> Counter[int]:
        return Counter()

    def add_input(
        self, total: Counter[int], counts: Counter[int]
    ) -> Counter[int]:
        total.update(counts)
        return total

    def merge_accumulators(
        self, parts: Iterable[Counter[int]]
    ) -> Counter[int]:
        total: Counter[int] = Counter()
        for part in parts:
            total.update(part)
        return total

    def extract_output(self, total: Counter[int]) -> Counter[int]:
        return total


def _count(values: np.ndarray) -> Counter[int]:
    found, counts = np.unique(values, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _find(counts: Counter[int], rank: int) -> tuple[int, int]:
    """The value at a rank, and how many values stand before it."""
    before = 0
    for value in sorted(counts):
        if before + counts[value] > rank:
            return value, before
        before += counts[value]
    raise ValueError(f"rank {rank} of {before} values")


def _inside(
    values: np.ndarray, coarse: Counter[int], ranks_of: Ranks, width: int
) -> Iterator[tuple[int, Counter[int]]]:
    """Counts the values of the one bucket that holds each rank."""
    for index, rank in enumerate(ranks_of(sum(coarse.values()))):
        if rank >= 0:
            bucket, _ = _find(coarse, rank)
            yield index, _count(values[values // width == bucket])


def _pick(
    coarse: Counter[int], fine: dict[int, Counter[int]], ranks_of: Ranks
) -> list[int | None]:
    found: list[int | None] = []
    for index, rank in enumerate(ranks_of(sum(coarse.values()))):
        if rank < 0:
            found.append(None)
            continue
        _, before = _find(coarse, rank)
        found.append(_find(fine[index], rank - before)[0])
    return found


class ExactRanks(beam.PTransform):
    """Arrays of integers -> one list: the values at some ranks of them all.

    Counts per bucket first, then per value inside the buckets that hold the
    ranks: neither takes more memory than there are buckets, or values in one.

    Args:
        ranks_of: number of values -> ranks from 0; None comes of a negative
            one.
        width: values in a bucket.
    """

    def __init__(self, ranks_of: Ranks, width: int) -> None:
        super().__init__()
        self._ranks_of, self._width = ranks_of, width

    def expand(self, arrays: beam.PCollection) -> beam.PCollection:
        """PCollection[np.ndarray] -> PCollection[list[int | None]] of one."""
        width, ranks_of = self._width, self._ranks_of
        coarse = beam.pvalue.AsSingleton(
            arrays
            | "CountBuckets" >> beam.Map(lambda values: _count(values // width))
            | "AddBuckets" >> beam.CombineGlobally(_Merge())
        )
        fine = beam.pvalue.AsDict(
            arrays
            | "CountValues"
            >> beam.FlatMap(_inside, coarse, ranks_of=ranks_of, width=width)
            | "AddValues" >> beam.CombinePerKey(_Merge())
        )
        return (
            arrays.pipeline
            | "Once" >> beam.Create([None])
            | "Pick"
            >> beam.Map(
                lambda _, coarse, fine: _pick(coarse, fine, ranks_of),
                coarse, fine,
            )
        )
