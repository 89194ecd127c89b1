"""Nodes of the graph by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfx.types import BaseChannel

Nodes = dict[str, Any]


def add(nodes: Nodes, name: str, node: Any) -> Mapping[str, BaseChannel]:
    """Puts a node into the graph. Returns its outputs."""
    nodes[name] = node.with_id(name)
    outputs: Mapping[str, BaseChannel] = nodes[name].outputs
    return outputs
