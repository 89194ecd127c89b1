"""Examples in docstrings print what they say."""

from __future__ import annotations

import doctest

import pytest

from benchmarks.quality import cells, execution, variants


@pytest.mark.parametrize("module", [cells, execution, variants])
def test_examples_print_what_they_say(module: object) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
