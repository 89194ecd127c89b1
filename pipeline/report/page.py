"""The whole page."""

from __future__ import annotations

from importlib import resources

from pipeline.report import (
    anomalies,
    cost,
    evaluation,
    samples,
    statistics,
    training,
    verdict,
)
from pipeline.report.html import Html, anchor, element, join
from pipeline.report.metadata import RunRecord

_TITLES = (
    evaluation.QUALITY,
    samples.TITLE,
    training.TITLE,
    statistics.TITLE,
    anomalies.ANOMALIES,
    anomalies.DRIFT,
    cost.COST,
    cost.CONFIGURATION,
)
# Whatever the data holds: a browser runs nothing and asks for nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(run: RunRecord) -> Html:
    """The page of a run, complete in itself."""
    found = evaluation.read(run)
    sections = [
        evaluation.build(found),
        samples.build(found),
        training.build(run),
        statistics.build(run),
        anomalies.build(run),
        anomalies.build_drift(run),
        cost.build(run),
        cost.build_configuration(run),
    ]
    body = element(
        "body",
        verdict.build(run, found),
        element("nav", *map(_link, _TITLES)),
        element("main", *sections),
    )
    whole = element("html", _head(run), body, lang="en")
    return join([Html("<!doctype html>\n"), whole, "\n"])


def _link(title: str) -> Html:
    return element("a", title, href=f"#{anchor(title)}")


def _head(run: RunRecord) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element(
            "meta", name="viewport", content="width=device-width, "
            "initial-scale=1",
        ),
        element(
            "meta", http_equiv="Content-Security-Policy", content=_POLICY
        ),
        element("title", f"Run {run.id}"),
        element("style", Html(_style())),
    )


def _style() -> str:
    file = resources.files("pipeline.report").joinpath("style.css")
    return file.read_text(encoding="utf-8")
