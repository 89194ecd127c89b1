"""The flags of `python -m trainer.task`, made from `trainer.config`."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import Any, NoReturn

from trainer.config import PRESETS
from trainer.settings.options import (
    Option,
    first_line,
    options_of,
    sections,
)

_METAVARS = {int: "N", float: "X", str: "TEXT"}
_EXAMPLES = """\
examples:
  python -m trainer.task --data-dir logs --job-dir job --split leave_one_out
  python -m trainer.task --data-dir logs --job-dir job --preset smoke
  python -m trainer.task --preset best --print-config > run.yaml
  python -m trainer.task --data-dir logs --job-dir job --config run.yaml
"""


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage of all flags would hide it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def _add_own_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", default="", metavar="DIR",
        help="folder of the tables: events, items and, where there are any, "
        "users and scenarios; CSV(.gz), Parquet or TFRecord",
    )
    parser.add_argument(
        "--job-dir", default="", metavar="DIR",
        help="folder for everything that is written; the same command resumes "
        "a run that was interrupted",
    )
    parser.add_argument(
        "--preset", default="base", metavar=_braces(PRESETS),
        help="smoke: to see it run; base: the defaults; best: slower and "
        "better (default base)",
    )
    parser.add_argument(
        "--config", metavar="FILE.yaml",
        help="settings by section, as --print-config writes them",
    )
    parser.add_argument(
        "--print-config", action="store_true",
        help="print all settings as YAML with their meaning, and stop",
    )
    parser.add_argument(
        "--restart", action="store_true",
        help="forget the run that the job folder holds; exported versions "
        "and cached text vectors stay",
    )


def _add_flag(group: argparse._ArgumentGroup, option: Option) -> None:
    shape: dict[str, Any] = {
        "type": option.type,
        "metavar": _braces(option.choices) or _METAVARS.get(option.type),
    }
    if option.type is bool:
        shape = {"action": argparse.BooleanOptionalAction}
    group.add_argument(
        option.flag,
        dest=option.key,
        default=argparse.SUPPRESS,
        help=option.about.replace("%", "%%"),
        **shape,
    )


def _braces(names: Collection[str]) -> str:
    return "{" + ",".join(names) + "}" if names else ""


def make_parser() -> argparse.ArgumentParser:
    """All flags of a run; those of the configuration have no default here."""
    parser = OneLineParser(
        prog="python -m trainer.task",
        usage="%(prog)s --data-dir DIR --job-dir DIR [options]",
        description="Trains, evaluates and exports a recommender.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_own_flags(parser)
    for name, section in sections().items():
        add_section(parser, name, section)
    return parser


def add_section(
    parser: argparse.ArgumentParser, name: str, section: type
) -> None:
    """Gives a parser one flag per field of a configuration class."""
    group = parser.add_argument_group(name, first_line(section))
    for option in options_of(name, section):
        _add_flag(group, option)
