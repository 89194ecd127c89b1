"""Item and user vectors with the structure that trained towers have.

Items form families, families topics, topics departments; a few of each are
large and most are small. A vector is the sum of a part for each of these, one
that all items share and one of its own, drawn on a spectrum that decays, and
brought to length one. A user is the mean of items of one to three families,
and some noise. Set by a trained bundle (5,768 items, 128 wide), whose mean has
length .33, whose effective dimension is .32 of the width, and where an item's
product with the nearest, 10th, 100th and 1,000th other is .64, .51, .36, .18.
"""

from __future__ import annotations

import dataclasses

import numpy as np

_SPECTRUM = -0.35  # power of a dimension's number in its standard deviation
_ZIPF = -0.5  # power of a group's number in its share of what it is made of
_DEPARTMENTS = 16
_ITEMS_PER_TOPIC, _ITEMS_PER_FAMILY = 150, 10  # on average
# Shares of an item's squared length.
_COMMON, _DEPARTMENT, _TOPIC, _FAMILY, _OWN = 0.06, 0.11, 0.17, 0.17, 0.49
_ITEMS_PER_USER, _MAX_FAMILIES = 5, 3
_USER_NOISE = 0.1  # share of the squared length of a user's mean
_BLOCK = 100_000  # items drawn at a time


@dataclasses.dataclass(frozen=True)
class Planted:
    """A catalogue, and two sets of users of it that share none.

    Attributes:
        items: [n, d] float32, unit length.
        choosing: [q, d] float32, unit length: users that choose settings.
        held_out: [q, d] float32: users that tell what the settings find.
    """

    items: np.ndarray
    choosing: np.ndarray
    held_out: np.ndarray


def planted(num_items: int, dim: int, num_users: int, seed: int) -> Planted:
    """Draws a catalogue and twice `num_users` users of it."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, dim + 1) ** _SPECTRUM
    scale = (scale / np.linalg.norm(scale)).astype(np.float32)
    centres = _centres(num_items, scale, rng)
    family = _members(num_items, len(centres), rng)
    items = np.empty((num_items, dim), np.float32)
    for start in range(0, num_items, _BLOCK):
        block = family[start : start + _BLOCK]
        own = _drawn(len(block), _OWN, scale, rng)
        items[start : start + _BLOCK] = _unit(centres[block] + own)
    users = _users(items, family, 2 * num_users, rng)
    noise = _drawn(len(users), _USER_NOISE, scale, rng)
    queries = _unit(_unit(users) + noise)
    return Planted(items, queries[:num_users], queries[num_users:])


def _centres(
    num_items: int, scale: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """[families, d], without what is an item's own."""
    centres = _unit(_drawn(1, 1.0, scale, rng)) * np.sqrt(_COMMON)
    for count, share in (
        (_DEPARTMENTS, _DEPARTMENT),
        (num_items // _ITEMS_PER_TOPIC, _TOPIC),
        (num_items // _ITEMS_PER_FAMILY, _FAMILY),
    ):
        count = max(1, count)
        above = _members(count, len(centres), rng)
        centres = centres[above] + _drawn(count, share, scale, rng)
    return centres


def _members(
    count: int, num_groups: int, rng: np.random.Generator
) -> np.ndarray:
    """[count] int64, the group of each."""
    share = np.arange(1, num_groups + 1) ** _ZIPF
    return rng.choice(num_groups, count, p=share / share.sum())


def _users(
    items: np.ndarray,
    family: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """[count, d] means of a few items each."""
    order = np.argsort(family, kind="stable")
    starts = np.searchsorted(family[order], np.arange(family.max() + 2))
    users = np.empty((count, items.shape[1]), np.float32)
    for user in users:
        number = rng.integers(1, _MAX_FAMILIES + 1)
        # As often as items have them: by the families of random items.
        liked = family[rng.integers(0, len(items), number)]
        of_each = liked[np.arange(_ITEMS_PER_USER) % number]
        places = rng.integers(starts[of_each], starts[of_each + 1])
        user[:] = items[order[places]].mean(axis=0)
    return users


def _drawn(
    count: int, share: float, scale: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """[count, d] float32, squared lengths around `share`."""
    values = rng.standard_normal((count, len(scale)), np.float32)
    return values * scale * np.float32(share**0.5)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
