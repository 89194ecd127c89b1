"""What a split must know of all users before it looks at one."""

from __future__ import annotations

import functools

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import AsSingleton

from pipeline.sequences import shards
from pipeline.sequences.exact_rank import ExactRanks
from pipeline.sequences.shards import SplitFacts
from pipeline.sequences.steps import Plan, read_shard
from schema import features
from trainer import splits

_DAY = 86_400  # seconds in one bucket of moments
_LOTS = 1 << 16  # of users, in one bucket


def split_facts(user_files: beam.PCollection, plan: Plan) -> beam.PCollection:
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
    return shards.event_values(read_shard(file[1]), features.TIMESTAMP)


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
    said = _said_split(read_shard(file[1]))
    return bool((said == splits.VALIDATION).any())


def _lots(file: tuple[int, str], seed: int) -> np.ndarray:
    users = read_shard(file[1])
    may = splits.may_hold_out(_said_split(users), shards.starts_of(users))
    return shards.draws_of(users, seed)[may]


def _hold_out_ranks(share: float, count: int) -> list[int]:
    return [splits.hold_out_rank(count, share)]


def _hold_out_facts(limit: list[int | None], has_any: bool) -> SplitFacts:
    nobody = has_any or limit[0] is None
    return SplitFacts(hold_out_limit=-1 if nobody else int(limit[0] or 0))
