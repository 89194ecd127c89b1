"""A configuration cannot be wrong."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from trainer.config import (
    PRESETS,
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
)
from trainer.text_config import TextConfig


def test_a_section_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DataConfig().max_history = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("section", "field", "value", "message"),
    [
        (DataConfig, "max_history", 0, "max_history must be at least 1, got 0"),
        (DataConfig, "test_share", 0.5, "test_share must be at most 0.4"),
        (DataConfig, "split", "tme", "got 'tme'. Did you mean 'time'"),
        (DataConfig, "exclude_seen", 1, "must be true or false, got 1"),
        (DataConfig, "events", 3, "events must be text or null, got 3"),
        (ModelConfig, "lstm_units", 64.0, "must be a whole number, got 64.0"),
        (ModelConfig, "dropout", "much", "must be a number, got 'much'"),
        (ModelConfig, "temperature", math.nan, "must be finite, got nan"),
        (TrainingConfig, "seed", True, "must be a whole number, got True"),
        (TrainingConfig, "epochs", None, "must be a whole number, got None"),
        (TrainingConfig, "clip_norm", math.inf, "must be finite, got inf"),
        (ModelConfig, "item_parts", "text,ids", "got 'text, ids'"),
        (ModelConfig, "item_parts", "id,id", "at most once"),
        (ModelConfig, "item_parts", " ,", "is empty; name at least one"),
        (ModelConfig, "interests", "last,now", "each of last, short, long"),
    ],
)
def test_a_bad_value_is_refused_by_name(
    section: Any, field: str, value: object, message: str
) -> None:
    with pytest.raises(ValueError) as error:
        section(**{field: value})
    assert str(error.value).startswith(field)
    assert message in str(error.value)


def test_the_ends_of_a_range_are_legal() -> None:
    assert DataConfig(max_history=1, test_share=0.4).max_history == 1


def test_a_whole_number_is_a_number() -> None:
    assert TrainingConfig(learning_rate=1).learning_rate == 1


def test_null_is_legal_where_the_type_says_so() -> None:
    assert TextConfig(text_cache=None).text_cache is None


def test_field_names_are_unique_over_all_sections() -> None:
    names = [
        field.name
        for section in dataclasses.fields(RunConfig)
        for field in dataclasses.fields(section.default_factory)  # type: ignore
    ]
    assert len(names) == len(set(names)) > 30


def test_every_field_says_what_it_means() -> None:
    for section in dataclasses.fields(RunConfig):
        for field in dataclasses.fields(section.default_factory):  # type: ignore
            assert len(field.metadata["help"]) > 10, field.name


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_a_legal_configuration(name: Any) -> None:
    sections = {
        field.name: field.default_factory(  # type: ignore[misc]
            **PRESETS[name].get(field.name, {})
        )
        for field in dataclasses.fields(RunConfig)
    }
    assert PRESETS[name].keys() <= sections.keys()
    RunConfig(**sections)


def test_an_encoder_is_not_tuned_on_texts_that_nobody_reads() -> None:
    tuned = TextConfig(tune="lora")
    with pytest.raises(ValueError) as error:
        RunConfig(text=tuned, model=ModelConfig(item_parts="id,brand"))
    assert str(error.value).startswith("tune is lora, but items are not known")
    assert "'id,brand'; add text" in str(error.value)
    RunConfig(text=tuned, model=ModelConfig(item_parts="text"))
