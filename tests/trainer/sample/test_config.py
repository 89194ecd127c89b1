from __future__ import annotations

import datetime
import math

import pytest

from trainer.sample import config as sample_config
from trainer.sample.config import SampleConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [("users", 0), ("items", 0), ("topics", 17), ("scenarios", 7),
     ("bad_rows", -0.1), ("cold_items", 1.0), ("language", "fr")],
)
def test_a_value_out_of_range_is_refused_by_name(
    field: str, value: object
) -> None:
    with pytest.raises(ValueError, match=field):
        SampleConfig(**{field: value})  # type: ignore[arg-type]


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="skew must be finite"):
        SampleConfig(skew=math.nan)


def test_the_log_covers_ninety_days_before_2024() -> None:
    def day(moment: int) -> str:
        utc = datetime.timezone.utc
        return datetime.datetime.fromtimestamp(moment, utc).isoformat()

    assert day(sample_config.FIRST_MOMENT) == "2023-10-03T00:00:00+00:00"
    assert day(sample_config.LAST_MOMENT) == "2024-01-01T00:00:00+00:00"
