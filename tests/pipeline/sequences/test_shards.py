"""Leaks are told from the sequences alone, whoever made them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pipeline.sequences.shards import Spans, leaks, spans_of
from trainer.behaviour import TEST, TRAIN, VALIDATION

GOOD_TIMES = [[1, 2, 3, 4], [2, 5]]
GOOD_SPLITS = [[TRAIN, TRAIN, VALIDATION, TEST], [TRAIN, TEST]]


def users(times: list[list[int]], splits: list[list[int]]) -> pa.Table:
    return pa.table(
        {
            "user_id": [f"u{i}" for i in range(len(times))],
            "timestamp": pa.array(times, pa.list_(pa.int64())),
            "split": pa.array(splits, pa.list_(pa.int64())),
        }
    )


@pytest.mark.parametrize("split", ["time", "leave_one_out", "column"])
def test_good_sequences_have_no_leaks(split: str) -> None:
    assert leaks(spans_of(users(GOOD_TIMES, GOOD_SPLITS)), split) == []


def test_an_event_after_a_later_one_is_found() -> None:
    found = leaks(spans_of(users([[1, 3, 2], [9]], [[0, 0, 0], [0]])), "column")
    assert len(found) == 1
    assert "1 events stand after a later event" in found[0]


def test_a_train_event_after_a_test_event_is_found() -> None:
    spans = spans_of(users([[1, 2, 3]], [[TRAIN, TEST, TRAIN]]))
    assert "1 events of an earlier split" in leaks(spans, "leave_one_out")[0]
    assert leaks(spans, "column") == []  # the column may say so


def test_train_events_of_the_validation_span_are_found() -> None:
    spans = spans_of(users([[1, 5], [4]], [[TRAIN, TRAIN], [VALIDATION]]))
    found = leaks(spans, "time")
    assert found == [
        "train events go on until 5, the held-out ones begin at 4"
    ]


def test_validation_events_of_the_test_span_are_found() -> None:
    spans = spans_of(users([[1, 7], [6]], [[TRAIN, VALIDATION], [TEST]]))
    assert "validation events go on until 7" in leaks(spans, "time")[0]


def test_spans_of_shards_add_up() -> None:
    parts = [
        spans_of(users([times], [splits]))
        for times, splits in zip(GOOD_TIMES, GOOD_SPLITS, strict=True)
    ]
    assert parts[0] + parts[1] == spans_of(users(GOOD_TIMES, GOOD_SPLITS))
    assert Spans() + parts[0] == parts[0]


def test_users_do_not_follow_one_another() -> None:
    spans = spans_of(users([[9], [1]], [[TEST], [TRAIN]]))
    assert (spans.disordered, spans.out_of_split) == (0, 0)
    assert np.isfinite(spans.train_until)
