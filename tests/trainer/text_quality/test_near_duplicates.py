"""Groups against all pairs compared one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from trainer.text_quality.near_duplicates import (
    expected_recall,
    find_groups,
    signatures,
)
from trainer.text_quality.shingles import shingle


def pairs(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + 2]) for at in range(len(words) - 1)}


def brute_force(texts: list[str], threshold: float) -> set[frozenset[int]]:
    """Linked groups from every pair of texts."""
    sets = [pairs(text) for text in texts]
    groups = [{row} for row in range(len(texts))]
    for a, b in itertools.combinations(range(len(texts)), 2):
        union = sets[a] | sets[b]
        if union and len(sets[a] & sets[b]) / len(union) >= threshold:
            mine = next(group for group in groups if a in group)
            theirs = next(group for group in groups if b in group)
            if mine is not theirs:
                mine |= theirs
                groups.remove(theirs)
    return {frozenset(group) for group in groups if len(group) > 1}


def variants(rng: np.random.Generator, count: int) -> list[str]:
    """Random texts, and copies of them with a few words changed."""
    texts: list[str] = []
    for _ in range(count):
        words = [f"w{n}" for n in rng.integers(0, 300, rng.integers(4, 30))]
        texts.append(" ".join(words))
        for changed in range(int(rng.integers(0, 4))):
            copy = list(words)
            for at in rng.integers(0, len(words), changed):
                copy[at] = f"w{rng.integers(0, 300)}"
            texts.append(" ".join(copy))
    return [texts[at] for at in rng.permutation(len(texts))]


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9, 1.0])
def test_groups_are_those_of_all_pairs(rng, threshold):
    texts = variants(rng, 120)
    expected = brute_force(texts, threshold)
    assert len(expected) > 10
    found = find_groups(shingle(texts), threshold)
    assert {frozenset(group.rows) for group in found} == expected


def test_similarities_are_to_the_first_and_the_largest_group_leads():
    texts = [
        "p q r s t u", "x", "a b c d e", "a b c d e f", "p q r s t u v",
        "", "A b, c d e!",
    ]
    first, second = find_groups(shingle(texts), 0.8)
    assert first.rows == (2, 3, 6)
    assert first.similarities == (1.0, 4 / 5, 1.0)
    assert second.rows == (0, 4)
    assert second.similarities == (1.0, 5 / 6)


def test_a_member_may_be_linked_by_another_alone():
    texts = ["a b c d e f", "a b c d e f g", "b c d e f g"]
    # Pairs: 5 of 6, and 5 of 6; the first and the last share 4 of 6.
    (group,) = find_groups(shingle(texts), 0.8)
    assert group.rows == (0, 1, 2)
    assert group.similarities == (1.0, 5 / 6, 4 / 6)


def test_texts_without_a_word_are_no_duplicates():
    assert find_groups(shingle(["", "!", "", "?"]), 0.8) == []
    assert find_groups(shingle([]), 0.8) == []


def test_characters_of_unspaced_scripts_are_compared():
    title = "法制强则市场兴盛国家安"
    other = "足球比赛今晚八点开始了"
    (group,) = find_groups(shingle([title, other, title + "好"]), 0.8)
    assert group.rows == (0, 2)
    assert group.similarities == (1.0, 10 / 11)


def test_many_equal_texts_are_one_group_at_once():
    texts = ["the same few words"] * 20_000
    (group,) = find_groups(shingle(texts), 0.8)
    assert len(group.rows) == 20_000


def test_a_crowd_of_different_texts_comes_together_link_by_link():
    # 400 texts, each within 37 of 41 pairs of any other: more than are
    # compared with one another in a band.
    stem = " ".join(f"w{n}" for n in range(39))
    texts = [f"{stem} x{n} y{n}" for n in range(400)]
    (group,) = find_groups(shingle(texts), 0.8)
    assert len(group.rows) == 400


def test_a_share_of_equal_hashes_estimates_jaccard(rng):
    left = [f"a{n} a{n + 1}" for n in range(200)]
    right = left[:100] + [f"b{n} b{n + 1}" for n in range(100)]
    made = shingle([" . ".join(left), " . ".join(right)])
    signature = signatures(made)
    estimate = (signature[0] == signature[1]).mean()
    # One standard deviation is .04 at 128 hashes.
    assert abs(estimate - made.jaccard(0, 1)) < 0.13


@pytest.mark.parametrize(
    ("similarity", "low", "high"),
    [(1.0, 1.0, 1.0), (0.8, 0.9999999, 1.0), (0.7, 0.9998, 0.9999),
     (0.5, 0.87, 0.88), (0.0, 0.0, 0.0)],
)
def test_the_stated_recall(similarity, low, high):
    assert low <= expected_recall(similarity) <= high


def test_recall_is_as_stated(rng):
    """Pairs of similarity near 1/2, which meet about 6 times of 7."""
    count, shared = 2_000, 20
    rows = []
    for pair in range(count):
        own = [f"p{pair}w{n}" for n in range(shared)]
        rows += [
            [*own, *(f"p{pair}{side}{n}" for n in range(shared // 2))]
            for side in ("left", "right")
        ]
    made = shingle([" ".join(words) for words in rows])
    met = signatures(made).reshape(count, 2, 32, 4)
    is_met = (met[:, 0] == met[:, 1]).all(axis=2).any(axis=1)
    exact = np.mean([made.jaccard(2 * p, 2 * p + 1) for p in range(count)])
    assert abs(is_met.mean() - expected_recall(exact)) < 0.03
