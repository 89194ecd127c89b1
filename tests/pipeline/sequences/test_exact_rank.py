from __future__ import annotations

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that, equal_to

from pipeline.sequences.exact_rank import ExactRanks

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("width", [1, 7, 1000])
@pytest.mark.parametrize("high", [3, 5000])
def test_ranks_are_those_of_the_sorted_values(width: int, high: int) -> None:
    arrays = [RANDOM.integers(-high, high, size=n) for n in (40, 0, 1, 300)]
    ordered = np.sort(np.concatenate(arrays))
    ranks = [0, 17, 170, len(ordered) - 1]

    def ranks_of(count: int) -> list[int]:
        assert count == 341
        return [*ranks, -1]

    with beam.Pipeline() as pipeline:
        found = pipeline | beam.Create(arrays) | ExactRanks(ranks_of, width)
        expected = [int(ordered[rank]) for rank in ranks]
        assert_that(found, equal_to([[*expected, None]]))


def test_no_values_have_no_ranks() -> None:
    with beam.Pipeline() as pipeline:
        arrays = pipeline | beam.Create([np.zeros(0, np.int64)])
        found = arrays | ExactRanks(lambda count: [count - 1], 10)
        assert_that(found, equal_to([[None]]))
