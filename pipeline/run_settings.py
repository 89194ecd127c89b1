"""A run's settings as an execution property."""

from __future__ import annotations

import dataclasses
import json

import yaml

from trainer.config import RunConfig


def to_json(config: RunConfig) -> str:
    """The same settings give the same text, and so the same cache key."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def from_text(text: str) -> RunConfig:
    """Settings from `to_json`'s text or from YAML; defaults where absent.

    Raises:
        ValueError: naming the section or field that is not known.
    """
    defaults, content = RunConfig(), yaml.safe_load(text) or {}
    if not isinstance(content, dict):
        raise ValueError(f"settings must be a mapping, got {content!r}.")
    sections = {}
    for name, values in content.items():
        section = getattr(defaults, name, None)
        if section is None:
            known = [field.name for field in dataclasses.fields(defaults)]
            raise ValueError(
                f"unknown section {name!r} of settings; known are "
                f"{', '.join(known)}."
            )
        try:
            sections[name] = type(section)(**values)
        except TypeError as error:  # which names the field
            raise ValueError(f"settings, section {name}: {error}") from error
    return RunConfig(**sections)
