"""The dumps that can be converted, by the name that the command takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.convert.amazon import amazon2014, amazon2018, amazon2023
from benchmarks.convert.mind import mind
from benchmarks.convert.movielens import movielens
from benchmarks.convert.source import Source
from benchmarks.convert.yelp import yelp

DUMPS: dict[str, Callable[[Path], Source]] = {
    "movielens": movielens,
    "amazon2014": amazon2014,
    "amazon2018": amazon2018,
    "amazon2023": amazon2023,
    "mind": mind,
    "yelp": yelp,
}
