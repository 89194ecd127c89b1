"""Examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import pipeline
import schema
import serving
import trainer

MODULES = sorted(
    module.name
    for package in (schema, serving, trainer, pipeline)
    for module in pkgutil.walk_packages(
        package.__path__, prefix=f"{package.__name__}."
    )
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples_to_check() -> None:
    finder = doctest.DocTestFinder()
    tests = finder.find(importlib.import_module("trainer.losses"))
    assert any(test.examples for test in tests)
