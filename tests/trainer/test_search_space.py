"""Every value that a search may try is a legal setting."""

from __future__ import annotations

import pytest

from trainer.config import RunConfig
from trainer.run_fn import tuned
from trainer.search_space import SEARCH_SPACE
from trainer.settings.options import all_options

OPTIONS = {option.key: option for option in all_options()}


@pytest.mark.parametrize("key", SEARCH_SPACE)
def test_bounds_lie_within_what_the_option_takes(key: str) -> None:
    option, bounds = OPTIONS[key], SEARCH_SPACE[key]
    assert option.type is float
    assert bounds.low < bounds.high
    assert option.low is not None and option.low <= bounds.low
    assert option.high is not None and bounds.high <= option.high
    assert bounds.low > 0 or not bounds.is_log


@pytest.mark.parametrize("end", ["low", "high"])
def test_the_corners_make_a_configuration(end: str) -> None:
    values = {key: getattr(b, end) for key, b in SEARCH_SPACE.items()}
    config = tuned(RunConfig(), {"values": values})
    for key, value in values.items():
        section, name = key.split(".")
        assert getattr(getattr(config, section), name) == value
    # What is not searched stays.
    assert config.data == RunConfig().data
