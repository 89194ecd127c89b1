"""A run's settings as an execution property."""

from __future__ import annotations

import dataclasses
import json

import yaml

from trainer.config import RunConfig, config_from


def to_json(config: RunConfig) -> str:
    """The same settings give the same text, and so the same cache key."""
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def from_text(text: str) -> RunConfig:
    """Settings from `to_json`'s text or from YAML; defaults where absent.

    Raises:
        ValueError: naming the section or field that is not known.
    """
    content = yaml.safe_load(text) or {}
    if not isinstance(content, dict):
        raise ValueError(f"settings must be a mapping, got {content!r}.")
    known = [field.name for field in dataclasses.fields(RunConfig)]
    for name in content:
        if name not in known:
            raise ValueError(
                f"unknown section {name!r} of settings; known are "
                f"{', '.join(known)}."
            )
    try:
        return config_from(content)
    except TypeError as error:  # which names the field
        raise ValueError(f"bad settings: {error}") from error
