"""Nearest neighbours by text: baselines that read and learn nothing.

The score of a candidate is its cosine with the last item of the history, or
the mean of its cosines with the last ten. Without a history all scores are
equal, and ties count against whom they come from.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Sequence

import numpy as np

from trainer.evaluation import Queries, Scorer

_LAST, _RECENT = 1, 10  # events of the history that are looked at
_LENGTHS = (1, 2, 3)  # of n-grams, in characters
# Share of letters that are Chinese, Japanese or Korean from which a catalogue
# gets n-grams too: the packaged encoder does not read these scripts.
_CJK_SHARE = 0.5
_CJK = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uac00", "\ud7af"))
Similarity = Callable[[int], np.ndarray]  # item -> [items] cosines


def text_scorers(queries: Queries, vectors: np.ndarray) -> dict[str, Scorer]:
    """Neighbours by the vectors of a text encoder.

    Args:
        queries: what is asked.
        vectors: [items, dim], of any length; zeros for no text.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)

    def scorer(events: int) -> Scorer:
        def score(numbers: np.ndarray) -> np.ndarray:
            rows = [recent(queries, n, events) for n in numbers]
            means = np.stack(
                [unit[items].sum(axis=0) / max(1, len(items)) for items in rows]
            )
            return np.asarray(means @ unit.T)

        return score

    return {"text-knn-last": scorer(_LAST), "text-knn-mean10": scorer(_RECENT)}


def ngram_scorers(queries: Queries, texts: Sequence[str]) -> dict[str, Scorer]:
    """Neighbours by TF-IDF of character n-grams."""
    # One row is asked for again and again: popular items end many histories.
    similar = functools.lru_cache(maxsize=4096)(ngram_similarity(texts))

    def scorer(events: int) -> Scorer:
        def score(numbers: np.ndarray) -> np.ndarray:
            scores = np.zeros((len(numbers), len(texts)), np.float32)
            for row, number in enumerate(numbers):
                items = recent(queries, number, events)
                for item in items:
                    scores[row] += similar(int(item)) / len(items)
            return scores

        return score

    return {
        "ngram-knn-last": scorer(_LAST), "ngram-knn-mean10": scorer(_RECENT)
    }


def recent(queries: Queries, number: int, events: int) -> np.ndarray:
    """Items of the last events before a query's target, at most `events`."""
    target = queries.targets[number]
    start = queries.sequences.starts[queries.user[number]]
    return queries.sequences.item[max(start, target - events) : target]


def ngram_similarity(texts: Sequence[str]) -> Similarity:
    """Cosines of all texts with one, as a function of its place.

    weight(gram, text) = (1 + ln count) (1 + ln (1 + N) / (1 + texts with it)),
    each text scaled to unit length.
    """
    counts = [_ngram_counts(text) for text in texts]
    codes: dict[str, int] = {}
    for grams in counts:
        for name in grams:
            codes.setdefault(name, len(codes))
    sizes = [len(grams) for grams in counts]
    text = np.repeat(np.arange(len(texts)), sizes)
    gram = np.array([codes[g] for each in counts for g in each], np.int64)
    count = np.array([c for each in counts for c in each.values()], np.float64)
    texts_with = np.bincount(gram, minlength=len(codes))
    rarity = 1 + np.log((1 + len(texts)) / (1 + texts_with))
    weight = (1 + np.log(count)) * rarity[gram]
    squares = np.bincount(text, weight**2, minlength=len(texts))
    weight /= np.sqrt(squares)[text]
    by_gram = np.argsort(gram, kind="stable")
    start_of_gram = np.concatenate([[0], np.cumsum(texts_with)])
    start_of_text = np.concatenate([[0], np.cumsum(sizes)])

    def similar(place: int) -> np.ndarray:
        cosines = np.zeros(len(texts))
        for at in range(start_of_text[place], start_of_text[place + 1]):
            first, end = start_of_gram[gram[at]], start_of_gram[gram[at] + 1]
            found = by_gram[first:end]  # each of another text
            cosines[text[found]] += weight[at] * weight[found]
        return cosines.astype(np.float32)

    return similar


def _ngram_counts(text: str) -> collections.Counter[str]:
    squeezed = " ".join(text.lower().split())
    return collections.Counter(
        squeezed[at : at + length]
        for length in _LENGTHS
        for at in range(len(squeezed) - length + 1)
    )


def reads_as_cjk(texts: Sequence[str]) -> bool:
    """Whether most letters are Chinese, Japanese or Korean."""
    letters = [c for text in texts for c in text if c.isalpha()]
    found = sum(any(a <= c <= b for a, b in _CJK) for c in letters)
    return found > _CJK_SHARE * len(letters)
