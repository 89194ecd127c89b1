"""Examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import benchmarks.convert

MODULES = [
    module.name
    for module in pkgutil.iter_modules(
        benchmarks.convert.__path__, "benchmarks.convert."
    )
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_check() -> None:
    from benchmarks.convert import values

    tests = doctest.DocTestFinder().find(values)
    assert sum(bool(test.examples) for test in tests) >= 4
