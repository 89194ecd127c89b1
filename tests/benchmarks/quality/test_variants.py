"""Ablations as flags of the trainer."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.quality import variants
from trainer.config import RunConfig
from trainer.settings import parse


def config(*flags: str) -> RunConfig:
    return parse(["--data-dir", "d", "--job-dir", "j", *flags]).config


def changed(found: RunConfig) -> set[str]:
    """Settings that are not the defaults."""
    default = RunConfig()
    return {
        field.name
        for section in dataclasses.fields(RunConfig)
        for field in dataclasses.fields(getattr(default, section.name))
        if getattr(getattr(found, section.name), field.name)
        != getattr(getattr(default, section.name), field.name)
    }


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_a_variant_changes_what_it_names_and_nothing_else(name: str) -> None:
    found = config(*variants.as_flags(variants.overrides(name)))
    assert changed(found) == set(variants.VARIANTS[name])


def test_no_two_variants_are_the_same() -> None:
    contents = [sorted(v.items()) for v in variants.VARIANTS.values()]
    assert all(contents.count(each) == 1 for each in contents)


def test_pairs_become_settings_and_later_ones_win() -> None:
    found = config(*variants.as_flags(
        ["epochs=7", "tune=full", "exclude_seen=False",
         "text-columns=title,brand", "epochs=9"]
    ))
    assert found.training.epochs == 9
    assert found.text.tune == "full"
    assert not found.data.exclude_seen
    assert found.text.text_columns == "title,brand"


@pytest.mark.parametrize("pair", ["epochs", "=3"])
def test_a_pair_without_its_sides_is_refused(pair: str) -> None:
    with pytest.raises(ValueError, match="not key=value"):
        variants.as_flags([pair])


def test_an_unknown_variant_is_met_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean id-only"):
        variants.overrides("id-onyl")
