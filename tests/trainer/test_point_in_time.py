"""Point in time: nothing of a target comes from its place or later.

Random event tables with ties, for every split and on every path to a feature:
training windows, queries, Markov transitions, vocabularies and counts. Where
each event has its own item, an item code tells which row of the file is read.
"""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
from event_tables import (
    NUM_ITEMS,
    SCENARIOS,
    TYPES,
    event_tables,
    make_dataset,
    ordered_rows,
    with_own_items,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trainer import behaviour
from trainer.baselines import MarkovScorer, train_transitions
from trainer.batches import padded_batch
from trainer.behaviour import TRAIN, Sequences, build_sequences
from trainer.config import DataConfig, RunConfig
from trainer.evaluation import build_queries
from trainer.prepare import Prepared, prepare
from trainer.tables import Events

SPLITS = ("time", "leave_one_out", "column")
HISTORIES = st.integers(1, 7)
MANY = settings(max_examples=80, deadline=None)
anywhere = given(event_tables(), st.sampled_from(SPLITS), HISTORIES)


def sequences_and_splits(
    events: Events, split: str
) -> tuple[Sequences, dict[int, int]]:
    """Sequences, and the split of each row of the file."""
    sequences = build_sequences(events, DataConfig(split=split), 0)
    return sequences, dict(
        zip(sequences.item.tolist(), sequences.split.tolist(), strict=True)
    )


def rows_before(events: Events) -> dict[int, list[int]]:
    """Row of the file -> rows of its user before it, in order."""
    return {
        row: own[:at]
        for own in ordered_rows(events).values()
        for at, row in enumerate(own)
    }


def prepared(events: Events, split: str) -> Prepared:
    return prepare(
        make_dataset(events), RunConfig(data=DataConfig(split=split))
    )


@MANY
@anywhere
def test_a_train_event_with_train_events_alone_before_it_is_a_target_once(
    events: Events, split: str, history: int
) -> None:
    events = with_own_items(events)
    sequences, split_of = sequences_and_splits(events, split)
    found = collections.Counter()
    windows = behaviour.train_windows(sequences, history)
    for first, stop in zip(windows.first_target, windows.stop, strict=True):
        found.update(sequences.item[first:stop].tolist())
    assert found == {
        row: 1
        for row, before in rows_before(events).items()
        if all(split_of[other] == TRAIN for other in (*before, row))
    }


@MANY
@anywhere
def test_a_train_target_sees_its_users_latest_events_before_it(
    events: Events, split: str, history: int
) -> None:
    events = with_own_items(events)
    sequences, _ = sequences_and_splits(events, split)
    before = rows_before(events)
    windows = behaviour.train_windows(sequences, history)
    for start, stop, first in zip(
        windows.start, windows.stop, windows.first_target, strict=True
    ):
        for target in range(first, stop):
            context = sequences.item[start:target].tolist()
            row = int(sequences.item[target])
            assert context == before[row][len(before[row]) - len(context) :]


@MANY
@anywhere
def test_a_query_reads_the_latest_events_before_its_target(
    events: Events, split: str, history: int
) -> None:
    events = with_own_items(events)
    sequences, _ = sequences_and_splits(events, split)
    before = rows_before(events)
    targets = np.arange(len(sequences.item))
    batch = padded_batch(
        sequences,
        behaviour.query_windows(sequences, targets, history),
        targets,
        labels=sequences.rating,
        profile_of=np.arange(sequences.num_users),
    )
    for target in targets:
        row = int(sequences.item[target])
        read = batch["item"][target, : batch["length"][target]].tolist()
        assert read == before[row][-history:]
        assert batch["profile"][target] == events.user[row]
        assert batch["asked_scenario"][target] == events.scenario[row]
        assert not batch["is_target"][target].any()


@MANY
@given(event_tables(), st.sampled_from(SPLITS), HISTORIES, st.data())
def test_a_query_is_the_same_whatever_happens_from_its_target_on(
    events: Events, split: str, history: int, data: st.DataObject
) -> None:
    sequences = build_sequences(events, DataConfig(split=split), 0)
    target = data.draw(st.integers(0, len(sequences.item) - 1))
    later = np.arange(len(sequences.item)) >= target
    changed = dataclasses.replace(
        sequences,
        **{
            name: np.where(later, 77, getattr(sequences, name))
            for name in ("item", "event_type", "gap", "rating")
        },
        # The target's own scenario is asked for, so it is known.
        scenario=np.where(
            np.append(False, later[:-1]), 77, sequences.scenario
        ),
    )
    batches = [
        padded_batch(
            version,
            behaviour.query_windows(version, np.array([target]), history),
            np.array([0]),
            labels=version.rating,
            profile_of=np.arange(version.num_users),
        )
        for version in (sequences, changed)
    ]
    for name, values in batches[0].items():
        np.testing.assert_array_equal(values, batches[1][name], name)


@MANY
@given(event_tables())
def test_the_gap_of_an_event_looks_at_the_event_before_it(
    events: Events
) -> None:
    events = with_own_items(events)
    sequences, _ = sequences_and_splits(events, "leave_one_out")
    gap_of = dict(
        zip(sequences.item.tolist(), sequences.gap.tolist(), strict=True)
    )
    for row, before in rows_before(events).items():
        if not before:
            assert gap_of[row] == 0
            continue
        seconds = events.timestamp[row] - events.timestamp[before[-1]]
        # 0, 1-2, 3-6, 7-14 seconds: the bit length of one more.
        assert gap_of[row] == int(seconds + 1).bit_length()


@MANY
@anywhere
def test_transitions_are_train_events_that_follow_one_another(
    events: Events, split: str, history: int
) -> None:
    events = with_own_items(events)
    sequences, split_of = sequences_and_splits(events, split)
    expected = [
        [before[-1], row]
        for row, before in rows_before(events).items()
        if before and split_of[row] == split_of[before[-1]] == TRAIN
    ]
    assert sorted(train_transitions(sequences).tolist()) == sorted(expected)


@MANY
@anywhere
def test_a_markov_query_asks_with_the_event_before_its_target(
    events: Events, split: str, history: int
) -> None:
    events = with_own_items(events)
    sequences, split_of = sequences_and_splits(events, split)
    number = len(events.user)
    queries = build_queries(
        sequences, np.arange(number), num_items=number, exclude_seen=False
    )
    scores = MarkovScorer(queries, np.zeros(number))(np.arange(number))
    before = rows_before(events)
    follower = {own[-1]: row for row, own in before.items() if own}
    for target in range(number):
        row = int(sequences.item[target])
        expected = np.zeros(number)
        if before[row]:
            # Each item occurs once, so its only follower is the target.
            last = before[row][-1]
            if split_of[last] == split_of[follower[last]] == TRAIN:
                expected[follower[last]] = 1
        np.testing.assert_array_equal(scores[target], expected)


@MANY
@anywhere
def test_counts_and_vocabularies_see_train_events_alone(
    events: Events, split: str, history: int
) -> None:
    own = sequences_and_splits(with_own_items(events), split)[1]
    train = [row for row, code in own.items() if code == TRAIN]
    assume(train)
    found = prepared(events, split)
    counts = collections.Counter(f"i{events.item[row]}" for row in train)
    expected = {f"i{code}": counts[f"i{code}"] for code in range(NUM_ITEMS)}
    catalogue = found.catalogue
    assert (
        dict(zip(catalogue.item_ids, catalogue.counts, strict=True)) == expected
    )
    assert set(found.event_types) == {
        TYPES[events.event_type[row]] for row in train
    }
    assert set(found.scenarios) == {
        SCENARIOS[events.scenario[row]] for row in train
    }
    times = [int(events.timestamp[row]) for row in train]
    assert found.span == (min(times), max(times))


@MANY
@given(event_tables(), st.sampled_from(SPLITS))
def test_what_is_learned_is_the_same_whatever_the_held_out_events_are(
    events: Events, split: str
) -> None:
    own = sequences_and_splits(with_own_items(events), split)[1]
    is_train = np.array([own[row] == TRAIN for row in range(len(own))])
    assume(is_train.any())
    changed = dataclasses.replace(
        events,
        item=np.where(is_train, events.item, NUM_ITEMS - 1 - events.item),
        event_type=np.where(is_train, events.event_type, 2),
        scenario=np.where(is_train, events.scenario, 1),
        rating=np.where(is_train, events.rating, 99.0).astype(np.float32),
    )
    first, second = prepared(events, split), prepared(changed, split)
    for name in ("item_ids", "texts", "categories", "brands"):
        assert getattr(first.catalogue, name) == getattr(second.catalogue, name)
    assert first.catalogue.counts.tolist() == second.catalogue.counts.tolist()
    assert first.event_types == second.event_types
    assert first.scenarios == second.scenarios
    assert first.label_scale == second.label_scale
    train = first.sequences.split == TRAIN
    np.testing.assert_array_equal(first.labels[train], second.labels[train])
    for name in ("item", "event_type", "scenario", "gap"):
        np.testing.assert_array_equal(
            getattr(first.sequences, name)[train],
            getattr(second.sequences, name)[train],
            name,
        )
