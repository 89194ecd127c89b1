"""Text neighbours against cosines computed one by one."""

from __future__ import annotations

import collections
import math

import numpy as np
import pytest

from benchmarks.quality import neighbours
from trainer.behaviour import Sequences
from trainer.evaluation import Queries, build_queries

TEXTS = ["红茶和绿茶", "绿茶", "红茶 红茶", "汽车新闻", "", "tea 绿茶 news"]
ITEMS = len(TEXTS)


def queries(histories: list[list[int]]) -> Queries:
    """One query per history; the target is item 0."""
    rows = [row + [0] for row in histories]
    starts = np.cumsum([0, *map(len, rows)])
    item = np.concatenate(rows).astype(np.int32)
    nothing = np.zeros(len(item), np.int32)
    sequences = Sequences(
        starts, item, nothing, nothing, nothing, np.arange(len(item)),
        nothing.astype(np.float32), nothing.astype(np.int8),
    )
    return build_queries(
        sequences, starts[1:] - 1, num_items=ITEMS, exclude_seen=False
    )


HISTORIES = [[1], [2, 3], [], [4, 1], list(range(6)) * 2]
NUMBERS = np.array([4, 0, 2, 1, 3])


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = math.sqrt(a @ a) * math.sqrt(b @ b)
    return float(a @ b) / lengths if lengths else 0.0


def slow_scores(vectors: list[np.ndarray], events: int) -> list[list[float]]:
    """Mean cosine of each item with the last events of each history."""
    found = []
    for number in NUMBERS:
        recent = HISTORIES[number][-events:]
        found.append([
            sum(cosine(vectors[i], each) for i in recent) / len(recent)
            if recent else 0.0
            for each in vectors
        ])
    return found


@pytest.mark.parametrize(("name", "events"), [("last", 1), ("mean10", 10)])
def test_text_neighbours_are_mean_cosines(
    name: str, events: int, rng: np.random.Generator
) -> None:
    vectors = rng.normal(size=(ITEMS, 7)).astype(np.float32)
    vectors[4] = 0  # an item without text
    scorers = neighbours.text_scorers(queries(HISTORIES), vectors)
    found = scorers[f"text-knn-{name}"](NUMBERS)
    expected = slow_scores(list(vectors.astype(float)), events)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def slow_tfidf() -> list[np.ndarray]:
    """The formula of the docstring, text by text and gram by gram."""
    grams = []
    for text in TEXTS:
        text = " ".join(text.lower().split())
        found: dict[str, int] = collections.defaultdict(int)
        for start in range(len(text)):
            for end in range(start + 1, min(start + 3, len(text)) + 1):
                found[text[start:end]] += 1
        grams.append(found)
    vectors = []
    names = sorted({gram for each in grams for gram in each})
    for each in grams:
        row = []
        for gram in names:
            having = sum(gram in other for other in grams)
            rarity = 1 + math.log((1 + len(TEXTS)) / (1 + having))
            count = each.get(gram, 0)
            row.append((1 + math.log(count)) * rarity if count else 0.0)
        vectors.append(np.array(row))
    return vectors


@pytest.mark.parametrize(("name", "events"), [("last", 1), ("mean10", 10)])
def test_ngram_neighbours_are_mean_cosines_of_tfidf(
    name: str, events: int
) -> None:
    scorers = neighbours.ngram_scorers(queries(HISTORIES), TEXTS)
    found = scorers[f"ngram-knn-{name}"](NUMBERS)
    np.testing.assert_allclose(
        found, slow_scores(slow_tfidf(), events), atol=1e-6
    )


def test_recent_items_stop_before_the_target_and_at_the_user() -> None:
    asked = queries(HISTORIES)
    assert neighbours.recent(asked, 1, 10).tolist() == [2, 3]
    assert neighbours.recent(asked, 1, 1).tolist() == [3]
    assert neighbours.recent(asked, 2, 10).tolist() == []
    assert neighbours.recent(asked, 4, 10).tolist() == (HISTORIES[4])[-10:]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (TEXTS, True),
        (["ニュース", "서울"], True),
        (["a title", "another 茶"], False),
        (["2024", ""], False),
    ],
)
def test_scripts_that_the_encoder_does_not_read(
    texts: list[str], expected: bool
) -> None:
    assert neighbours.reads_as_cjk(texts) == expected
