"""Every held-out event is asked from its user's train events before it."""

from __future__ import annotations

from pathlib import Path

import logs
import numpy as np
import pytest

from benchmarks.quality import random_split
from benchmarks.quality.held_out_queries import held_out_queries
from trainer import baselines
from trainer.behaviour import TEST, VALIDATION, gap_buckets
from trainer.config import DataConfig, RunConfig
from trainer.prepare import Prepared, prepare
from trainer.tables import load_dataset

# In order of time: user, item, timestamp, split. "r" was held out of train.
EVENTS = [
    ("a", "p", 10, "train"), ("a", "q", 20, "test"), ("a", "s", 30, "train"),
    ("a", "r", 40, "validation"), ("a", "q", 40, "test"),
    ("a", "t", 50, "test"), ("b", "q", 15, "test"), ("b", "p", 25, "train"),
    ("c", "s", 12, "train"), ("c", "p", 60, "train"),
]
SHIFT = 51  # 10 to 60, and one
MOVED = {"train": 0, "validation": 0, "test": 1}


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    lines = [(u, i, t + SHIFT * MOVED[s]) for u, i, t, s in EVENTS]
    events = logs.table(lines, split=[s for *_, s in EVENTS])
    logs.write_log(tmp_path / "data", events, "pqrst")
    config = RunConfig(data=DataConfig(split="column"))
    dataset = load_dataset(
        str(tmp_path / "data"), config.data,
        rejects_dir=tmp_path / "rejects", now=1_000,
    )
    assert dataset.events.user_ids == ["a", "b", "c"]
    return prepare(dataset, config)


def names(prepared: Prepared, rows: np.ndarray) -> str:
    codes = prepared.sequences.item[rows]
    return "".join(prepared.catalogue.item_ids[code] for code in codes)


def test_histories_are_the_known_events_before_in_order_of_time(
    prepared
) -> None:
    asked, queries, user = held_out_queries(prepared, SHIFT)
    found = sorted(
        (
            int(user[n]),
            names(asked, np.arange(
                asked.sequences.starts[queries.user[n]], queries.targets[n]
            )),
            names(asked, queries.targets[n : n + 1]),
        )
        for n in range(len(queries))
    )
    # q and t never are known, and r is not before a q of the same moment.
    assert found == [
        (0, "p", "q"), (0, "ps", "q"), (0, "psr", "t"), (1, "", "q")
    ]


def test_times_and_gaps_are_the_true_ones(prepared) -> None:
    asked, queries, user = held_out_queries(prepared, SHIFT)
    number = int(np.flatnonzero(user == 0)[2])
    start = asked.sequences.starts[queries.user[number]]
    rows = np.arange(start, start + 3)
    assert asked.sequences.timestamp[rows].tolist() == [10, 30, 40]
    expected = gap_buckets(np.array([10, 30, 40]), np.array([1, 0, 0], bool))
    assert asked.sequences.gap[rows].tolist() == expected.tolist()


def test_baselines_count_each_train_event_once(prepared) -> None:
    _, queries, _ = held_out_queries(prepared, SHIFT)
    counts = queries.train_counts
    by_name = dict(zip(prepared.catalogue.item_ids, counts, strict=True))
    assert by_name == {"p": 3, "s": 2, "q": 0, "r": 0, "t": 0}
    pairs = baselines.train_transitions(queries.sequences)
    ids = prepared.catalogue.item_ids
    found = sorted(ids[a] + ids[b] for a, b in pairs)
    assert found == ["ps", "sp"]  # of a and c, in train alone


def test_no_query_reads_another_held_out_event(prepared) -> None:
    asked, queries, _ = held_out_queries(prepared, SHIFT)
    for number, target in enumerate(queries.targets):
        start = asked.sequences.starts[queries.user[number]]
        known = asked.sequences.split[start:target]
        assert set(known.tolist()) <= {VALIDATION}
        assert asked.sequences.split[target] == TEST


def test_seen_items_stay_in(prepared) -> None:
    _, queries, _ = held_out_queries(prepared, SHIFT)
    scores = np.zeros((len(queries), 5), np.float32)
    queries.exclude(scores, np.arange(len(queries)))
    assert np.isfinite(scores).all()


def test_profiles_and_labels_go_with_their_users(prepared) -> None:
    asked, queries, user = held_out_queries(prepared, SHIFT)
    assert len(asked.profile_of) == asked.sequences.num_users
    assert len(asked.labels) == len(asked.sequences.item)
    assert asked.sequences.num_users == 3 + len(queries)


def test_a_real_split_gives_one_query_per_test_event(tmp_path: Path) -> None:
    lines = [(f"u{n % 5}", f"i{n % 11}", n) for n in range(60)]
    treated, notes = random_split.split_at_random(logs.table(lines), 0)
    items = sorted({item for _, item, _ in lines})
    logs.write_log(tmp_path / "data", treated, items)
    config = RunConfig(data=DataConfig(split="column"))
    dataset = load_dataset(
        str(tmp_path / "data"), config.data,
        rejects_dir=tmp_path / "rejects", now=1_000,
    )
    asked, queries, user = held_out_queries(
        prepare(dataset, config), notes[random_split.SHIFT]
    )
    assert len(queries) == 12
    split = treated.columns["split"]
    for number in range(len(queries)):
        name = dataset.events.user_ids[user[number]]
        target_time = asked.sequences.timestamp[queries.targets[number]]
        known = [
            item
            for (who, item, moment), kind in zip(lines, split, strict=True)
            if who == name and kind != "test" and moment < target_time
        ]
        rows = np.arange(
            asked.sequences.starts[queries.user[number]],
            queries.targets[number],
        )
        codes = asked.sequences.item[rows]
        found = [asked.catalogue.item_ids[code] for code in codes]
        assert found == known
