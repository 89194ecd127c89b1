"""Options against the dataclasses that they are made from."""

from __future__ import annotations

import dataclasses

import pytest

from trainer.config import RunConfig
from trainer.settings.options import (
    Option,
    all_options,
    did_you_mean,
    sections,
    summary,
    to_scalar,
)


def option(name: str) -> Option:
    return next(o for o in all_options() if o.name == name)


def test_every_field_is_an_option_with_its_default() -> None:
    found = {o.key: o.default for o in all_options()}
    assert found == {
        f"{section}.{name}": value
        for section, fields in dataclasses.asdict(RunConfig()).items()
        for name, value in fields.items()
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("epochs", int),
        ("dropout", float),
        ("exclude_seen", bool),
        ("text_cache", str),  # str | None
        ("split", str),  # Literal
    ],
)
def test_a_type_leaves_choices_and_null_aside(name: str, kind: type) -> None:
    assert option(name).type is kind


def test_choices_keep_their_order() -> None:
    assert option("split").choices == ("time", "leave_one_out", "column")
    assert option("epochs").choices == ()


def test_names_of_flags_have_hyphens() -> None:
    assert option("learning_rate").flag == "--learning-rate"


def test_about_says_default_and_both_ends() -> None:
    assert option("dropout").about.endswith("(default 0.2; 0.0 to 0.9)")
    assert option("epochs").about.endswith("(default 12; at least 1)")
    assert option("text_cache").about == option("text_cache").help


def test_sections_are_summed_up() -> None:
    assert list(sections())[:2] == ["data", "text"]
    assert summary("training") == "How the model is fitted."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("null", "'null'"),
        (0.1, "0.1"),
        ("", "''"),
    ],
)
def test_scalars_are_written_as_yaml_reads_them(
    value: object, text: str
) -> None:
    assert to_scalar(value) == text


def test_only_a_near_name_is_proposed() -> None:
    assert did_you_mean("epoch", ["epochs", "seed"]) == " Did you mean epochs?"
    assert did_you_mean("zzz", ["epochs", "seed"]) == ""
