from __future__ import annotations

import pytest

from trainer.text_config import TextConfig
from trainer.text_quality.config import TextQualityConfig


def test_an_item_reads_as_the_trainer_has_it():
    assert TextQualityConfig().text_columns == TextConfig().text_columns


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text_columns": "title,titel"}, "text_columns takes each of title"),
        ({"text_columns": " "}, "text_columns is empty"),
        ({"similarity": 0.4}, "similarity must be at least 0.5"),
        ({"boilerplate_share": 0.0}, "boilerplate_share must be at least"),
        ({"batch_events": 1}, "batch_events must be at least 2"),
    ],
)
def test_wrong_values_are_refused_by_name(wrong, said):
    with pytest.raises(ValueError, match=said):
        TextQualityConfig(**wrong)
