"""The parser by itself."""

from __future__ import annotations

from trainer.config import RunConfig
from trainer.settings.flags import make_parser
from trainer.settings.options import all_options


def test_every_option_has_a_flag() -> None:
    text = make_parser().format_help()
    assert not [o.flag for o in all_options() if o.flag not in text]


def test_only_flags_that_are_given_are_returned() -> None:
    found = vars(make_parser().parse_args(["--seed", "3"]))
    keys = {option.key for option in all_options()}
    assert {key: found[key] for key in found.keys() & keys} == {
        "training.seed": 3
    }


def test_every_section_has_its_own_group() -> None:
    text = make_parser().format_help()
    for section in vars(RunConfig()):
        assert f"\n{section}:\n" in text
