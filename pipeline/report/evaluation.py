"""How good the model is: in all, by slice, for new items, as an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.report import numbers
from pipeline.report.charts import curve, interval, legend
from pipeline.report.files import read_json
from pipeline.report.html import (
    Html,
    element,
    join,
    note,
    section,
    table,
)
from pipeline.report.metadata import RunRecord

QUALITY = "Quality"
_BASELINES = ("popularity", "markov", "random")
_SLICED = ("recall@10", "ndcg@10")  # metrics that are shown by slice
_EXPLAINED = "Dot and line: the value and its 95 % interval."

Values = Mapping[str, Any]


def read(run: RunRecord) -> Values | None:
    """The run's `evaluation.json`, if it has come so far."""
    return read_json(
        run.output("retrieval_evaluator", "evaluation"), "evaluation.json"
    )


def build(evaluation: Values | None) -> Html:
    """Metrics, slices, the cold-start curve and the index."""
    if evaluation is None:
        return section(QUALITY, note("This run has not come to an evaluation."))
    return section(
        QUALITY,
        _overall(evaluation),
        _slices(evaluation),
        _cold(evaluation.get("cold_curve") or []),
        _index(evaluation.get("index")),
        _forgetting(evaluation.get("forgetting")),
    )


def _ends(values: Values) -> tuple[float, float] | None:
    low, high = values.get("low"), values.get("high")
    return None if low is None or high is None else (low, high)


def _overall(evaluation: Values) -> Html:
    others = {
        name: values
        for name, values in (evaluation.get("baselines") or {}).items()
        if name in _BASELINES
    }
    if evaluation.get("previous"):
        others["previous"] = evaluation["previous"]
    rows = [
        _metric(name, values, others)
        for name, values in evaluation["model"].items()
    ]
    header = ("metric", "model", "95 %", "", *others)
    said = _EXPLAINED if evaluation.get("previous") else (
        f"{_EXPLAINED} There is no earlier blessed model to compare with."
    )
    return join([
        legend(["model", *others]),
        table(header, rows, class_="metrics"),
        note(said),
    ])


def _metric(
    name: str, values: Values, others: Mapping[str, Values]
) -> list[str]:
    marks = {other: found.get(name) for other, found in others.items()}
    ends = _ends(values)
    known = [mark for mark in marks.values() if mark is not None]
    high = 1.1 * max([values["value"], *(ends or ()), *known, 1e-9])
    return [
        element("code", name),
        element("b", numbers.metric(values["value"])),
        _range(ends),
        interval(values["value"], ends, high=high, marks=marks),
        *map(numbers.metric, marks.values()),
    ]


def _range(ends: tuple[float, float] | None) -> Html:
    if ends is None:
        return element("span", "–")
    low, high = map(numbers.metric, ends)
    return element("small", f"{low} – {high}")


def _slices(evaluation: Values) -> Html:
    heading = element("h3", "By slice")
    slices = evaluation.get("slices") or {}
    if not slices:
        return join([heading, note("This evaluation has no slices.")])
    shown = [m for m in _SLICED if any(m in each for each in slices.values())]
    high = {
        metric: 1.05 * max(
            (_ends(each[metric]) or (0, each[metric]["value"]))[1]
            for each in slices.values() if metric in each
        )
        for metric in shown
    }
    rows = []
    for name, each in slices.items():
        row: list[str] = [name, numbers.count(each["queries"])]
        for metric in shown:
            row += _sliced(each.get(metric), high[metric])
        rows.append(row)
    header = ["slice", "queries"]
    for metric in shown:
        header += [metric, ""]
    return join([heading, table(header, rows, class_="slices")])


def _sliced(values: Values | None, high: float) -> list[str]:
    if values is None:
        return ["–", ""]
    value = values["value"]
    drawing = interval(value, _ends(values), high=high)
    return [numbers.metric(value), drawing]


def _cold(bins: Sequence[Values]) -> Html:
    heading = element("h3", "Cold start")
    if not bins:
        text = "This evaluation has no curve over train events."
        return join([heading, note(text)])
    labels = [str(each["train_events"]) for each in bins]
    found = [each["recall@10"] for each in bins]
    drawing = curve(labels, found, [_ends(each) for each in bins])
    asked = [
        [str(each["train_events"]), numbers.count(each["queries"]),
         numbers.metric(each["recall@10"]), _range(_ends(each))]
        for each in bins
    ]
    header = ("train events", "queries", "recall@10", "95 %")
    return join([
        heading,
        note("recall@10 by the number of train events of the target item"),
        element(
            "div",
            element("figure", drawing),
            table(header, asked, class_="numeric"),
            class_="cards wide",
        ),
    ])


def _index(index: Values | None) -> Html:
    heading = element("h3", "Index")
    if not index:
        text = "No approximate index was measured in this run."
        return join([heading, note(text)])
    rows = [
        [name, *(f"{index[key][p]:.2f} ms" for p in ("p50", "p95"))]
        for name, key in (("exact", "exact_ms"), ("ScaNN", "scann_ms"))
        if index.get(key)
    ]
    said = (
        "The ScaNN index finds "
        f"{numbers.share(index['recall@10'], 1)} of the exact top ten."
    )
    header = ("search", "median", "95th percentile")
    return join([
        heading, element("p", said), table(header, rows, class_="numeric")
    ])


def _forgetting(forgetting: Values | None) -> Html:
    heading = element("h3", "Forgetting")
    if not forgetting:
        text = "No older slice was asked again: nothing to forget yet."
        return join([heading, note(text)])
    ours, before = forgetting["model"], forgetting["previous"]
    rows = [
        [
            element("code", name),
            numbers.metric(ours[name]),
            numbers.metric(before.get(name)),
        ]
        for name in ours
    ]
    said = (
        f"On {numbers.count(forgetting['queries'])} "
        f"{forgetting.get('of', 'queries of the old slice')}."
    )
    header = ("metric", "this model", "last blessed model")
    return join([
        heading, note(said), table(header, rows, class_="numeric")
    ])
