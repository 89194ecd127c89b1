"""Settings as YAML: `--config` reads what `--print-config` writes."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

from trainer.config import RunConfig
from trainer.settings.options import (
    Option,
    all_options,
    did_you_mean,
    sections,
    summary,
    to_scalar,
)
from trainer.unique_keys import UniqueKeys

_COLUMNS = 79  # of a comment


def to_yaml(config: RunConfig) -> str:
    """Every setting, each with its meaning as a comment."""
    lines = ["# Settings of python -m trainer.task; pass with --config FILE."]
    for section in sections():
        lines += ["", f"{section}:  # {summary(section)}"]
        for option in all_options():
            if option.section == section:
                lines += _option_lines(option, config)
    return "\n".join(lines) + "\n"


def read_yaml(file: str) -> dict[str, Any]:
    """The settings of a file by `section.field`.

    Raises:
        ValueError: if it cannot be read, is no mapping of sections, or names
            an unknown section or field or a value of the wrong type. The
            message starts with the file.
    """
    try:
        with open(file, encoding="utf-8") as stream:
            # A SafeLoader, which makes plain values only.
            content = yaml.load(stream, UniqueKeys)
        return _flatten({} if content is None else content)
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error


def _option_lines(option: Option, config: RunConfig) -> list[str]:
    value = getattr(getattr(config, option.section), option.name)
    comment = textwrap.wrap(
        option.about,
        _COLUMNS,
        initial_indent="  # ",
        subsequent_indent="  # ",
        break_on_hyphens=False,
    )
    return [*comment, f"  {option.name}: {to_scalar(value)}"]


def _flatten(content: Any) -> dict[str, Any]:
    known = {option.key: option for option in all_options()}
    values: dict[str, Any] = {}
    for section, fields in _mapping(content, "the file").items():
        if section not in sections():
            hint = did_you_mean(str(section), sections())
            raise ValueError(
                f"unknown section {section!r}.{hint or _section_of(section)}"
            )
        if fields is None:
            continue
        for name, value in _mapping(fields, section).items():
            key = f"{section}.{name}"
            if key not in known:
                hint = _section_of(name) or did_you_mean(key, known)
                raise ValueError(f"unknown setting {key}.{hint}")
            values[key] = _typed(known[key], value)
    return values


def _mapping(content: Any, name: str) -> dict[Any, Any]:
    if not isinstance(content, dict):
        raise ValueError(
            f"{name} must hold `name: value` lines, got {content!r}."
        )
    return content


def _section_of(name: Any) -> str:
    """Where a field belongs that stands in no or in another section."""
    for option in all_options():
        if option.name == name:
            return f" Did you mean {option.key}?"
    return ""


def _typed(option: Option, value: Any) -> Any:
    """The value, mended where YAML 1.1 reads `1e-3` as a string."""
    if option.type is float and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value  # refused by the configuration, which says why
    return value
