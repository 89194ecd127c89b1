"""The command line of a run, derived from `trainer.config`.

What is said later wins: defaults, the preset, the YAML file, flags. Nothing
here knows a single setting by name.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any, get_args

from trainer.config import PRESETS, PresetName, RunConfig
from trainer.settings.file import read_yaml
from trainer.settings.flags import make_parser
from trainer.settings.options import did_you_mean, sections


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
    restart: bool


def parse(argv: Sequence[str]) -> Settings:
    """Reads a command line.

    Args:
        argv: arguments without the program's name.

    Raises:
        SystemExit: 2 on anything unknown, missing or out of range, with one
            line on standard error that names it; 0 after `--help`.
    """
    parser = make_parser()
    known, unknown = parser.parse_known_args(argv)
    flags = vars(known)
    settings = {name: flags.pop(name) for name in _OWN_FLAGS}
    file = flags.pop("config")
    try:
        refuse_unknown(unknown, parser)
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


_OWN_FLAGS = ("data_dir", "job_dir", "preset", "print_config", "restart")


def refuse_unknown(
    arguments: Sequence[str], parser: argparse.ArgumentParser
) -> None:
    """Refuses what a parser has left over.

    Raises:
        ValueError: names the argument, and the nearest flag.
    """
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
