"""What each component took, and what it was told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.report import numbers
from pipeline.report.charts import bars
from pipeline.report.html import (
    Html,
    details,
    element,
    note,
    section,
    table,
)
from pipeline.report.metadata import Node, RunRecord

COST, CONFIGURATION = "Cost", "Configuration"
_LONGEST = 2_000  # characters of a property that are shown


def build(run: RunRecord) -> Html:
    """Time and peak memory of the components."""
    file = run.root / "runs" / run.id / "components.json"
    if not file.is_file():
        text = (
            "No times and memory were recorded for this run; the states below "
            "are the metadata store's."
        )
        rows = [[element("code", n.id), _state(n)] for n in run.nodes.values()]
        return section(COST, note(text), table(("component", "state"), rows))
    measured = json.loads(file.read_text(encoding="utf-8"))
    total = sum(each["seconds"] for each in measured.values())
    rows = [
        [
            element("code", name),
            "cached" if each.get("cached") else _named(run, name),
            numbers.duration(each["seconds"]),
            numbers.count(each.get("peak_memory_mb") or 0) + " MB",
        ]
        for name, each in measured.items()
    ]
    longest = sorted(
        ((name, each["seconds"]) for name, each in measured.items()),
        key=lambda pair: -pair[1],
    )[:8]
    return section(
        COST,
        element("p", f"{numbers.duration(total)} in all components."),
        element("figure", bars(longest, numbers.duration)),
        table(("component", "state", "time", "peak memory"), rows,
              class_="numeric"),
    )


def _named(run: RunRecord, name: str) -> str:
    return _state(run.nodes[name]) if name in run.nodes else "–"


def _state(node: Node) -> str:
    return node.state.lower()


def build_configuration(run: RunRecord) -> Html:
    """The execution properties of every component."""
    blocks = [
        details(node.id, table(("property", "value"), _properties(node)))
        for node in run.nodes.values()
        if _properties(node)
    ]
    if not blocks:
        blocks = [note("The metadata store holds no settings of this run.")]
    return section(CONFIGURATION, *blocks)


def _properties(node: Node) -> list[list[str]]:
    return [
        [element("code", name), element("pre", _written(value))]
        for name, value in sorted(node.properties.items())
        if not name.startswith("__") and name != "state" and value != ""
    ]


def _written(value: Any) -> str:
    """JSON on several lines where it is JSON."""
    text = str(value)
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, Mapping | list):
        text = json.dumps(parsed, indent=1, ensure_ascii=False)
    left = len(text) - _LONGEST
    return text if left <= 0 else f"{text[:_LONGEST]} … ({left:,} more)"
