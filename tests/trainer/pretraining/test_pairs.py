"""Which texts are told to belong together: of train events alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from trainer.behaviour import TEST, TRAIN, VALIDATION, Sequences
from trainer.pretraining.corpus import Corpus
from trainer.pretraining.pairs import PairTexts, as_batches, event_pairs

# Three users: items 0 1 2 | 3 4 (4 is test) | 5 6, validation, 7.
ITEMS = np.array([0, 1, 2, 3, 4, 5, 6, 8, 7], np.int32)
SPLIT = np.array(
    [TRAIN] * 3 + [TRAIN, TEST] + [TRAIN, TRAIN, VALIDATION, TRAIN], np.int8
)
STARTS = np.array([0, 3, 5, 9])


def sequences(items: np.ndarray = ITEMS) -> Sequences:
    nothing = np.zeros(len(items), np.int32)
    return Sequences(
        starts=STARTS, item=items, event_type=nothing, scenario=nothing,
        gap=nothing, timestamp=nothing.astype(np.int64),
        rating=nothing.astype(np.float32), split=SPLIT,
    )


def drawn(distance: int, items: np.ndarray = ITEMS) -> set[tuple[int, int]]:
    return {
        tuple(pair)
        for seed in range(80)
        for pair in event_pairs(
            sequences(items), distance, np.random.default_rng(seed)
        ).tolist()
    }


def test_neighbours_are_train_events_of_one_user():
    assert drawn(1) == {(0, 1), (1, 2), (5, 6), (6, 7)}


def test_a_distance_of_two_reaches_one_further():
    assert drawn(2) == {(0, 1), (1, 2), (0, 2), (5, 6), (6, 7), (5, 7)}


def test_an_item_read_twice_is_no_pair():
    assert (1, 1) not in drawn(1, np.where(ITEMS == 2, 1, ITEMS))


def corpus(texts: list[str], titles: list[str], rests: list[str]) -> Corpus:
    return Corpus(sequences(), texts, titles, rests)


TEXTS = [f"t{i}. r{i}" if i < 2 else f"t{i}" for i in range(8)] + [""]
PAIRS = PairTexts(
    corpus(
        TEXTS,
        [f"t{i}" for i in range(8)] + [""],
        ["r0", "r1"] + [""] * 7,
    )
)


def named(limit: int = 1000) -> set[tuple[str, str]]:
    return {
        (PAIRS.texts[a], PAIRS.texts[b])
        for seed in range(40)
        for a, b in PAIRS.draw(1, 0.5, limit, np.random.default_rng(seed))
    }


def test_an_item_is_its_title_against_the_rest_or_itself():
    found = named()
    assert ("t0", "r0") in found
    assert ("t3", "t3") in found
    assert ("t0. r0", "t0. r0") not in found


def test_items_are_met_by_all_of_their_text_in_either_order():
    found = named()
    assert {("t0. r0", "t1. r1"), ("t1. r1", "t0. r0")} <= found


def test_nothing_is_paired_with_an_item_without_text():
    assert not [pair for pair in named() if "" in pair]


def test_no_more_pairs_than_asked():
    assert len(PAIRS.draw(1, 0.5, 3, np.random.default_rng(0))) == 3


def test_a_pair_alone_is_no_batch():
    batches = as_batches(np.arange(14).reshape(7, 2), 3)
    assert [len(batch) for batch in batches] == [3, 3]


@pytest.mark.parametrize("share, views", [(0.0, 0), (0.5, 4), (0.8, 16)])
def test_a_share_of_the_pairs_are_views(share, views):
    # Four neighbouring pairs make the rest.
    for seed in range(5):
        drawn = PAIRS.draw(1, share, 1000, np.random.default_rng(seed))
        same = [
            PAIRS.texts[a][1] == PAIRS.texts[b][1] for a, b in drawn.tolist()
        ]
        assert (sum(same), len(same)) == (views, views + 4)


def test_every_item_is_viewed_before_one_is_twice():
    drawn = PAIRS.draw(1, 2 / 3, 1000, np.random.default_rng(0))
    views = [a for a, b in drawn.tolist() if PAIRS.texts[a][0] == "t" == (
        PAIRS.texts[b][0]) and a == b]
    assert sorted(views) == [2, 3, 4, 5, 6, 7]


def test_without_events_there_are_views_alone():
    quiet = dataclasses.replace(sequences(), split=np.full(9, TEST, np.int8))
    alone = PairTexts(Corpus(quiet, ["a", "b"], ["a", "b"], ["", ""]))
    drawn = alone.draw(1, 0.3, 9, np.random.default_rng(0))
    assert sorted(drawn.tolist()) == [[0, 0], [1, 1]]
