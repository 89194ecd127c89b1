"""The command line of a run, derived from `trainer.config`.

What is said later wins: defaults, the preset, the YAML file, flags. Nothing
here knows a single setting by name.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Collection, Sequence
from typing import Any, NoReturn, get_args

from trainer.config import PRESETS, PresetName, RunConfig
from trainer.options import (
    Option,
    all_options,
    did_you_mean,
    sections,
    summary,
)
from trainer.settings_file import read_yaml, to_yaml

__all__ = ["Settings", "parse", "to_yaml"]

_EXAMPLES = """\
examples:
  python -m trainer.task --data-dir logs --job-dir job --split leave_one_out
  python -m trainer.task --data-dir logs --job-dir job --preset smoke
  python -m trainer.task --preset best --print-config > run.yaml
  python -m trainer.task --data-dir logs --job-dir job --config run.yaml
"""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a command line asks for.

    The two folders may be "" only where `print_config` is set.
    """

    data_dir: str
    job_dir: str
    preset: PresetName
    config: RunConfig
    print_config: bool


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage of all flags would hide it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(argv: Sequence[str]) -> Settings:
    """Reads a command line.

    Args:
        argv: arguments without the program's name.

    Raises:
        SystemExit: 2 on anything unknown, missing or out of range, with one
            line on standard error that names it; 0 after `--help`.
    """
    parser = _make_parser()
    known, unknown = parser.parse_known_args(argv)
    flags = vars(known)
    settings = {name: flags.pop(name) for name in _OWN_FLAGS}
    file = flags.pop("config")
    try:
        _refuse_unknown(unknown, parser)
        _check_preset(settings["preset"])
        layers = [
            (f"--preset {settings['preset']}", _preset(settings["preset"])),
            (file, read_yaml(file) if file else {}),
            ("", flags),
        ]
        config = _build(layers)
        _check_folders(settings)
    except ValueError as error:
        parser.error(str(error))
    return Settings(config=config, **settings)


_METAVARS = {int: "N", float: "X", str: "TEXT"}
_OWN_FLAGS = ("data_dir", "job_dir", "preset", "print_config")


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m trainer.task",
        usage="%(prog)s --data-dir DIR --job-dir DIR [options]",
        description="Trains, evaluates and exports a recommender.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_own_flags(parser)
    for section in sections():
        group = parser.add_argument_group(section, summary(section))
        for option in all_options():
            if option.section == section:
                _add_flag(group, option)
    return parser


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


def _refuse_unknown(
    arguments: Sequence[str], parser: argparse.ArgumentParser
) -> None:
    for argument in arguments:
        name = argument.partition("=")[0]
        if name.startswith("-"):
            hint = did_you_mean(name, parser._option_string_actions)
            raise ValueError(f"unknown flag {name}.{hint}")
    if arguments:
        raise ValueError(
            f"unexpected argument {arguments[0]!r}; every setting is a flag."
        )


def _check_preset(name: str) -> None:
    known = get_args(PresetName)
    if name not in known:
        hint = did_you_mean(name, known)
        raise ValueError(
            f"--preset must be one of {', '.join(known)}, got {name!r}.{hint}"
        )


def _check_folders(settings: dict[str, Any]) -> None:
    missing = [n for n in ("data_dir", "job_dir") if not settings[n]]
    if missing and not settings["print_config"]:
        flags = " and ".join("--" + name.replace("_", "-") for name in missing)
        raise ValueError(f"{flags} missing; name the folder.")


def _preset(name: PresetName) -> dict[str, Any]:
    return {
        f"{section}.{field}": value
        for section, fields in PRESETS[name].items()
        for field, value in fields.items()
    }


def _build(layers: Sequence[tuple[str, dict[str, Any]]]) -> RunConfig:
    """Makes the configuration; an error names where the value came from.

    Args:
        layers: (source, values by key), later ones win. The source of flags
            is "": their own names say enough.
    """
    merged: dict[str, dict[str, Any]] = {section: {} for section in sections()}
    sources: dict[str, str] = {}
    for source, values in layers:
        for key, value in values.items():
            section, name = key.split(".")
            merged[section][name] = value
            sources[name] = f"{source}: {key}" if source else "flag"
    made: dict[str, Any] = {}
    for section, make in sections().items():
        try:
            made[section] = make(**merged[section])
        except ValueError as error:
            raise ValueError(_located(str(error), sources)) from error
    return RunConfig(**made)


def _located(message: str, sources: dict[str, str]) -> str:
    """Puts file and key, or the flag, in place of the field's bare name."""
    name, _, rest = message.partition(" ")
    source = sources.get(name, name)
    flag = "--" + name.replace("_", "-")
    return f"{flag if source == 'flag' else source} {rest}"
