"""The setting `behaviour_text`: a name, a file or templates themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from schema import features
from trainer.unique_keys import UniqueKeys
from trainer.verbalise import (
    DEFAULT,
    DOMAINS,
    Templates,
    nearest_of,
    parse_template,
)

NONE = "none"  # events say nothing
_FILES = (".yaml", ".yml")
_INLINE = "{"  # what templates in place of a file's name start with


def read_templates(setting: str) -> Templates | None:
    """The templates that a setting stands for; None for "none".

    Args:
        setting: as `resolved` returns it.

    Raises:
        ValueError: if a template, a field or an event type is not legal.
    """
    if setting == NONE:
        return None
    written = (
        _mapping(setting, "the mapping")
        if setting.startswith(_INLINE)
        else DOMAINS[setting]
    )
    known = (*features.EVENT_TYPES, DEFAULT)
    parsed = {}
    for name, text in written.items():
        if name not in known:
            raise ValueError(
                f"has a template for {name!r}; event types are "
                f"{', '.join(known)}.{nearest_of(name, known)}"
            )
        try:
            parsed[name] = parse_template(str(text))
        except ValueError as error:
            raise ValueError(f"has for {name} a bad template: {error}") from (
                error
            )
    default = parsed.pop(DEFAULT, None) or parse_template("{title}")
    return Templates(parsed, default)


def resolved(setting: str) -> str:
    """Checks a setting and puts a file's content in place of its name.

    What was trained is so told wholly by its settings, on every machine.

    Args:
        setting: none, a domain, a YAML file of `event_type: template` or such
            a mapping itself.

    Raises:
        ValueError: naming what is wrong, as the rest of a sentence about the
            setting.
    """
    if setting.endswith(_FILES):
        try:
            text = Path(setting).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(
                f"names the file {setting}, which cannot be read: "
                f"{error.strerror}."
            ) from error
        setting = yaml.safe_dump(
            _mapping(text, setting), default_flow_style=True, width=10**6,
            allow_unicode=True,
        ).strip()
    elif not setting.startswith(_INLINE):
        known = (NONE, *DOMAINS)
        if setting not in known:
            raise ValueError(
                f"must be one of {', '.join(known)} or the name of a .yaml "
                f"file, got {setting!r}.{nearest_of(setting, known)}"
            )
    read_templates(setting)
    return setting


def _mapping(text: str, source: str) -> dict[Any, Any]:
    try:
        content = yaml.load(text, UniqueKeys)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"cannot be read as YAML: {error}") from error
    if not isinstance(content, dict) or not content:
        raise ValueError(
            f"needs `event_type: template` lines; {source} holds {content!r}."
        )
    return content
