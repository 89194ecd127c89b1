"""Flags, YAML and `--print-config`, all derived from `trainer.config`."""

from trainer.settings.command_line import Settings, parse
from trainer.settings.file import to_yaml

__all__ = ["Settings", "parse", "to_yaml"]
