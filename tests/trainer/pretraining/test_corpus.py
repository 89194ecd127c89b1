"""What is left to learn from once some texts are held out."""

from __future__ import annotations

import numpy as np

from trainer.behaviour import TRAIN, Sequences
from trainer.pretraining.corpus import Corpus


def corpus_of(rows: list[tuple[str, str]], profiles: list[str]) -> Corpus:
    """A catalogue of titles and rests in which one user met all items."""
    items = np.arange(len(rows), dtype=np.int32)
    nothing = np.zeros(len(rows), np.int32)
    sequences = Sequences(
        starts=np.array([0, len(rows)]), item=items, event_type=nothing,
        scenario=nothing, gap=nothing, timestamp=nothing.astype(np.int64),
        rating=nothing.astype(np.float32),
        split=np.full(len(rows), TRAIN, np.int8),
    )
    titles, rests = map(list, zip(*rows, strict=True))
    texts = [". ".join(filter(None, row)) for row in rows]
    return Corpus(sequences, texts, titles, rests, profiles)


def test_no_part_of_a_held_out_text_is_left():
    corpus = corpus_of([("a", "x"), ("b", "y"), ("c", "")], ["likes a"])
    assert corpus.apart_from(["a. x"]) == ["b. y", "b", "y", "c", "likes a"]


def test_a_part_that_another_item_has_too_is_left_once():
    corpus = corpus_of([("a", "x"), ("b", "x"), ("c", "x")], [])
    assert corpus.apart_from(["a. x"]) == ["b. x", "b", "x", "c. x", "c"]


def test_a_held_out_text_is_left_out_wherever_it_stands():
    corpus = corpus_of([("a", ""), ("b", "a")], ["a", "d"])
    assert corpus.apart_from(["a"]) == ["b. a", "b", "d"]


def test_an_item_without_text_says_nothing():
    assert corpus_of([("", ""), ("b", "")], []).apart_from([]) == ["b"]
