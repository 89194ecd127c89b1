"""What some users did, and what they would be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.report.html import Html, element, note, section

TITLE = "Sample users"

Values = Mapping[str, Any]


def build(evaluation: Values | None) -> Html:
    """What some users did, and what they would be shown."""
    samples = (evaluation or {}).get("samples") or []
    cards = [_sample(sample) for sample in samples]
    if not cards:
        return section(TITLE, note("This run has no sample users."))
    return section(TITLE, element("div", *cards, class_="cards samples"))


def _sample(sample: Values) -> Html:
    target = sample["target"]
    recommended = [
        element("li", title, **({"class_": "hit"} if title == target else {}))
        for title in sample["recommended"]
    ]
    history = [element("li", title) for title in sample["history"]]
    return element(
        "article",
        element("h4", str(sample["user"])),
        element("h5", "chose"),
        element("ul", *history) if history else note("nothing yet"),
        element("h5", "is recommended"),
        element("ol", *recommended),
        element("h5", "really chose next"),
        element("p", target),
    )
