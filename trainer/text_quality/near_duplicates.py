"""Finds items whose texts are nearly the same, by MinHash and bands.

The least of a random hash over two sets is the same with the probability of
their Jaccard similarity s (Broder 1997). 32 bands of 4 such hashes let a pair
meet in some band with probability 1 - (1 - s^4)^32: .9999999 at s = .8, .9998
at .7, .87 at .5. Pairs that meet are compared exactly, so none that is
reported is false. Among crowds of like texts, where more than 30 meet in a
band, fewer pairs are compared; groups still come together, link by link.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from trainer.text_quality.shingles import Shingles

BANDS, ROWS = 32, 4
_HASHES = BANDS * ROWS
# Where more different texts meet in a band, each is compared with so many of
# its neighbours there: the work stays in line with the number of items.
_REACH = 30
# An estimate from 128 hashes strays by .044 at most (one standard deviation).
_MARGIN = 0.15
_PAIRS_AT_ONCE = 50_000  # whose signatures are compared, 50 MB
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclasses.dataclass(frozen=True)
class Group:
    """Items that are linked, pair by pair, by similar texts.

    Attributes:
        rows: of the items, in order; two at least.
        similarities: Jaccard similarity of each to the first; below the
            threshold where only other members link it.
    """

    rows: tuple[int, ...]
    similarities: tuple[float, ...]


def expected_recall(similarity: float) -> float:
    """Probability that a pair of this similarity is compared at all."""
    return 1.0 - (1.0 - similarity**ROWS) ** BANDS


def _mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: each bit depends on all (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(
        0xBF58476D1CE4E5B9
    )
    values = (values ^ (values >> np.uint64(27))) * np.uint64(
        0x94D049BB133111EB
    )
    return values ^ (values >> np.uint64(31))


def signatures(shingles: Shingles) -> np.ndarray:
    """The least of each hash over each text's shingles.

    Args:
        shingles: of N texts, none of them empty.

    Returns:
        [N, 128] uint32.
    """
    found = np.empty((len(shingles), _HASHES), np.uint32)
    seeds = _mix(np.arange(1, _HASHES + 1, dtype=np.uint64) * _GOLDEN)
    starts = shingles.starts[:-1]
    for column, seed in enumerate(tqdm(seeds, desc="minhash", unit=" hashes")):
        hashed = _mix(shingles.hashes ^ seed) >> np.uint64(32)
        found[:, column] = np.minimum.reduceat(hashed, starts)
    return found


def _neighbours(band: np.ndarray) -> Iterator[np.ndarray]:
    """[pairs, 2] rows that are equal in a band; band: [N, 4] uint32."""
    keys = np.ascontiguousarray(band).view(f"V{band.itemsize * ROWS}").ravel()
    _, keys = np.unique(keys, return_inverse=True)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    for offset in range(1, min(_REACH, len(keys) - 1) + 1):
        at = np.flatnonzero(keys[:-offset] == keys[offset:])
        if not len(at):
            return
        yield np.stack([order[at], order[at + offset]], axis=1)


def _likely(
    found: np.ndarray, pairs: np.ndarray, least: float
) -> np.ndarray:
    """The pairs of which `least` of their signatures agrees."""
    parts = np.array_split(pairs, len(pairs) // _PAIRS_AT_ONCE + 1)
    agreement = np.concatenate([
        (found[part[:, 0]] == found[part[:, 1]]).mean(axis=1) for part in parts
    ])
    return pairs[agreement >= least]


def _candidates(shingles: Shingles, similarity: float) -> np.ndarray:
    """[pairs, 2] rows that meet in a band and may be so similar."""
    met = [np.zeros((0, 2), np.int64)]
    if len(shingles) > 1:
        found = signatures(shingles)
        for band in tqdm(range(BANDS), desc="bands", unit=" bands"):
            columns = found[:, band * ROWS : (band + 1) * ROWS]
            for pairs in _neighbours(columns):
                met.append(_likely(found, pairs, similarity - _MARGIN))
    return np.unique(np.sort(np.concatenate(met), axis=1), axis=0)


def _linked(shingles: Shingles, similarity: float) -> list[int]:
    """The least row that each row is linked with, be it by way of others.

    Args:
        shingles: of different texts, none of them empty.
        similarity: Jaccard, from which on two rows are linked.
    """
    leader = list(range(len(shingles)))

    def leader_of(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    pairs = _candidates(shingles, similarity).tolist()
    for a, b in tqdm(pairs, desc="compare", unit=" pairs"):
        low, high = sorted((leader_of(a), leader_of(b)))
        if low != high and shingles.jaccard(a, b) >= similarity:
            leader[high] = low
    return [leader_of(row) for row in range(len(leader))]


def _distinct(shingles: Shingles) -> tuple[np.ndarray, Shingles]:
    """[N] row of each text among the different ones, -1 if empty; and those.
    """
    row_of: dict[bytes, int] = {}
    places = [
        row_of.setdefault(shingles.of(row).tobytes(), len(row_of))
        if len(shingles.of(row)) else -1
        for row in range(len(shingles))
    ]
    parts = [np.frombuffer(key, np.uint64) for key in row_of]
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    hashes = np.concatenate([np.zeros(0, np.uint64), *parts])
    return np.array(places, np.int64), Shingles(hashes, starts)


def find_groups(shingles: Shingles, similarity: float) -> list[Group]:
    """Groups of near-duplicates, the largest first.

    Args:
        shingles: of the items; items without any are in no group.
        similarity: Jaccard, from which on two items are linked.
    """
    place, different = _distinct(shingles)
    leader = _linked(different, similarity)
    members: dict[int, list[int]] = {}
    for row, at in enumerate(place.tolist()):
        if at >= 0:
            members.setdefault(leader[at], []).append(row)
    groups = [
        Group(tuple(r), tuple(shingles.jaccard(r[0], row) for row in r))
        for r in members.values()
        if len(r) > 1
    ]
    return sorted(groups, key=lambda group: (-len(group.rows), group.rows))
