"""YAML whose keys stand there once."""

from __future__ import annotations

from typing import Any

import yaml


class UniqueKeys(yaml.SafeLoader):
    """Refuses a repeated key, whose first value YAML would drop silently."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """The mapping of a node.

        Raises:
            ValueError: naming the key that stands there twice.
        """
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands there twice; keep one.")
        return super().construct_mapping(node, deep)
