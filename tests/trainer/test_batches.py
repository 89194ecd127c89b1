"""Padded batches by hand, and the order of an epoch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import batches
from trainer.batches import epoch_rows, padded_batch
from trainer.behaviour import Sequences, Windows

MANY = settings(max_examples=60, deadline=None)


@pytest.fixture
def sequences() -> Sequences:
    """Users with 3, 2 and 6 events; every column counts up from its own."""
    rows = np.arange(11, dtype=np.int32)
    return Sequences(
        starts=np.array([0, 3, 5, 11]),
        item=rows + 100,
        event_type=rows + 200,
        scenario=rows + 300,
        gap=rows + 400,
        timestamp=rows + 500,
        rating=np.full(11, np.nan, np.float32),
        split=np.zeros(11, np.int8),
    )


@pytest.fixture
def windows() -> Windows:
    """Rows 0-2 and 3-4 whole, 7-10 with targets from 9, and nothing."""
    return Windows(
        user=np.array([0, 1, 2, 2], np.int32),
        start=np.array([0, 3, 7, 6]),
        stop=np.array([3, 5, 11, 6]),
        first_target=np.array([0, 3, 9, 6]),
    )


@pytest.fixture
def batch(sequences: Sequences, windows: Windows) -> batches.Batch:
    return padded_batch(
        sequences,
        windows,
        np.array([2, 0, 3]),
        labels=np.where(np.arange(11) == 8, np.nan, np.arange(11) / 10),
        profile_of=np.array([5, 6, 7], np.int32),
    )


def test_events_stand_on_the_left_and_zeros_follow(
    batch: batches.Batch
) -> None:
    assert batch["item"].tolist() == [
        [107, 108, 109, 110], [100, 101, 102, 0], [0, 0, 0, 0]
    ]
    assert batch["event_type"][1].tolist() == [200, 201, 202, 0]
    assert batch["scenario"][1].tolist() == [300, 301, 302, 0]
    assert batch["gap"][1].tolist() == [400, 401, 402, 0]


def test_what_events_say_goes_with_them_and_padding_says_nothing(
    sequences: Sequences, windows: Windows, batch: batches.Batch
) -> None:
    assert not batch["text"].any()
    said = padded_batch(
        sequences, windows, np.array([2, 0, 3]), labels=np.zeros(11),
        profile_of=np.array([5, 6, 7], np.int32),
        text_of=np.arange(500, 511, dtype=np.int32),
    )["text"]
    assert said.tolist() == [
        [507, 508, 509, 510], [500, 501, 502, 0], [0, 0, 0, 0]
    ]


def test_lengths_count_events_and_not_padding(batch: batches.Batch) -> None:
    assert batch["length"].tolist() == [4, 3, 0]


def test_context_and_padding_are_no_targets(batch: batches.Batch) -> None:
    assert batch["is_target"].tolist() == [
        [False, False, True, True],
        [True, True, True, False],
        [False, False, False, False],
    ]


def test_labels_are_missing_in_padding(batch: batches.Batch) -> None:
    np.testing.assert_allclose(
        batch["label"],
        [[0.7, np.nan, 0.9, 1.0], [0, 0.1, 0.2, np.nan], [np.nan] * 4],
        rtol=1e-6,
    )


def test_profiles_are_those_of_the_windows_users(batch: batches.Batch) -> None:
    assert batch["profile"].tolist() == [7, 5, 7]


def test_the_scenario_of_the_next_event_is_asked(batch: batches.Batch) -> None:
    assert batch["asked_scenario"][2] == 306


def test_the_last_scenario_is_asked_where_the_user_has_no_next_event(
    batch: batches.Batch
) -> None:
    # The event after row 2 is another user's, after row 10 there is none.
    assert batch["asked_scenario"].tolist()[:2] == [310, 302]


def test_arrays_have_the_types_and_ranks_of_the_signature(
    batch: batches.Batch
) -> None:
    assert set(batch) == set(batches.SIGNATURE)
    for name, spec in batches.SIGNATURE.items():
        assert batch[name].dtype == spec.dtype.as_numpy_dtype
        assert batch[name].ndim == spec.shape.rank


@pytest.mark.parametrize(
    ("longest", "width"), [(1, 4), (4, 4), (5, 6), (65, 96), (600, 600)]
)
def test_widths_are_few(longest: int, width: int) -> None:
    rows = np.arange(700, dtype=np.int32)
    sequences = Sequences(
        np.array([0, 700]), rows, rows, rows, rows, rows,
        rows.astype(np.float32), np.zeros(700, np.int8),
    )
    at = np.array([0])
    window = Windows(at.astype(np.int32), at, at + longest, at)
    batch = padded_batch(
        sequences, window, at, labels=sequences.rating,
        profile_of=np.zeros(1, np.int32),
    )
    assert batch["item"].shape == (1, width)


@MANY
@given(
    st.lists(st.integers(1, 30), max_size=60),
    st.integers(1, 7),
    st.integers(0, 3),
)
def test_an_epoch_covers_each_window_once(
    lengths: list[int], batch_size: int, epoch: int
) -> None:
    rows = epoch_rows(
        np.array(lengths, np.int64), batch_size, seed=1, epoch=epoch
    )
    together = sorted(row for part in rows for row in part.tolist())
    assert together == list(range(len(lengths)))
    assert all(1 <= len(part) <= batch_size for part in rows)
    # At most one batch is not full: few steps, few shapes.
    assert len(rows) == -(-len(lengths) // batch_size)


def test_an_epoch_longer_than_a_stretch_covers_each_window_once() -> None:
    lengths = np.random.default_rng(0).integers(1, 9, 1007)
    rows = epoch_rows(lengths, 4, seed=1, epoch=0)
    assert sorted(np.concatenate(rows).tolist()) == list(range(1007))
    assert len(rows) == 252


def test_an_epoch_is_the_same_for_one_seed_and_number() -> None:
    lengths = np.random.default_rng(0).integers(1, 9, 40)

    def order(seed: int, epoch: int) -> list[list[int]]:
        rows = epoch_rows(lengths, 4, seed=seed, epoch=epoch)
        return [part.tolist() for part in rows]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)
    assert order(1, 2) != order(2, 1)


def test_windows_of_like_length_share_a_batch() -> None:
    lengths = np.random.default_rng(0).permutation(np.repeat([1, 5, 20], 8))
    for part in epoch_rows(lengths, 8, seed=0, epoch=0):
        assert len(set(lengths[part].tolist())) == 1


def test_batches_do_not_come_in_order_of_length() -> None:
    lengths = np.arange(200)
    rows = epoch_rows(lengths, 4, seed=0, epoch=0)
    firsts = [int(lengths[part].min()) for part in rows]
    assert firsts != sorted(firsts)


def test_rows_in_order_end_with_what_is_left() -> None:
    found = [part.tolist() for part in batches.in_order(7, 3)]
    assert found == [[0, 1, 2], [3, 4, 5], [6]]


def test_no_rows_make_no_batch() -> None:
    assert list(batches.in_order(0, 3)) == []
