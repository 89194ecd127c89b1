"""Settings as text and back."""

from __future__ import annotations

import pytest

from trainer.config import DataConfig, RunConfig
from trainer.settings import as_json


def test_settings_come_back_from_their_text() -> None:
    config = RunConfig(data=DataConfig(max_history=7))
    assert as_json.from_text(as_json.to_json(config)) == config


def test_yaml_may_leave_out_what_is_default() -> None:
    read = as_json.from_text("data:\n  max_history: 7\n")
    assert read == RunConfig(data=DataConfig(max_history=7))
    assert as_json.from_text("") == RunConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dta: {}", "unknown section 'dta'"),
        ("data: {max_histry: 1}", "bad settings: .*max_histry"),
        ("data: {max_history: 0}", "max_history must be at least 1"),
        ("7", "settings must be a mapping"),
    ],
)
def test_bad_settings_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_json.from_text(text)
