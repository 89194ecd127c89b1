"""The head of the page: what became of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.report import numbers
from pipeline.report.html import Html, element, join
from pipeline.report.metadata import RunRecord


def build(run: RunRecord, evaluation: Mapping[str, Any] | None) -> Html:
    """Run, date, verdict with its reasons, and what was pushed."""
    word, class_ = _verdict(run, evaluation)
    return element(
        "header",
        element("p", "interest-towers · run", class_="eyebrow"),
        element("h1", run.id),
        element("p", numbers.moment(run.started), class_="note"),
        element(
            "p", element("span", word, class_=f"verdict {class_}"),
            f" {_pushed(run)}",
        ),
        join(_reasons(run, evaluation)),
    )


def _failed(run: RunRecord) -> list[str]:
    return [node.id for node in run.nodes.values() if node.state == "FAILED"]


def _verdict(
    run: RunRecord, evaluation: Mapping[str, Any] | None
) -> tuple[str, str]:
    if _failed(run):
        return "FAILED", "bad"
    blessing = (evaluation or {}).get("blessing")
    if blessing is None:
        return "NOT EVALUATED", "open"
    return ("BLESSED", "good") if blessing["blessed"] else (
        "NOT_BLESSED", "bad"
    )


def _pushed(run: RunRecord) -> str:
    pushed = run.output("pusher", "pushed_model")
    if pushed is None or not pushed.properties.get("pushed"):
        return "No version was pushed; what was served before stays."
    version = pushed.properties.get("pushed_version", "?")
    return f"Pushed as version {version}."


def _reasons(
    run: RunRecord, evaluation: Mapping[str, Any] | None
) -> Iterable[Html]:
    for name in _failed(run):
        said = run.nodes[name].error or "The store does not say why."
        yield element("h3", f"{name} failed")
        yield element("pre", said)
    blessing = (evaluation or {}).get("blessing") or {}
    reasons = [element("li", reason) for reason in blessing.get("reasons", [])]
    if reasons:
        yield element("ul", *reasons, class_="reasons")
    infra = run.output("parity_validator", "blessing")
    if infra is not None:
        is_same = bool(infra.properties.get("blessed"))
        answers = "the same answers as" if is_same else "OTHER answers than"
        yield element(
            "p", f"The exported model gives {answers} the trained one.",
            class_="note",
        )
