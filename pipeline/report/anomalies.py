"""What was found to be wrong: with tables, with rows, since the last span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

from pipeline.report import numbers
from pipeline.report.files import read, read_json
from pipeline.report.html import Html, element, join, note, section, table
from pipeline.report.metadata import Artifact, RunRecord

ANOMALIES = "Anomalies"
DRIFT = "Drift"
_ORDER = {"error": 0, "reject": 1, "note": 2}
_DRIFT_FILE = "Split-all/SchemaDiff.pb"
_MEASUREMENT = anomalies_pb2.DriftSkewInfo.Measurement
_DISTANCES = {
    _MEASUREMENT.L_INFTY: "largest difference of a share",
    _MEASUREMENT.JENSEN_SHANNON_DIVERGENCE: "Jensen-Shannon divergence",
    _MEASUREMENT.NORMALIZED_ABSOLUTE_DIFFERENCE: "difference of counts",
}


def build(run: RunRecord) -> Html:
    """Anomalies of statistics and of rows, and what became of the rows."""
    reviews = {
        "Of statistics": read_json(
            run.output("data_gate", "review"), "review.json"
        ),
        "Of rows": read_json(
            run.output("sequence_builder", "table_review"), "review.json"
        ),
    }
    blocks = [_block(title, review) for title, review in reviews.items()]
    rows = (reviews["Of rows"] or {}).get("rows")
    if rows:
        blocks.append(_rows(rows))
    return section(ANOMALIES, *blocks)


def _block(title: str, review: Mapping[str, Any] | None) -> Html:
    heading = element("h3", title)
    if review is None:
        return join([heading, note("This run has not come to a review.")])
    found = sorted(
        review["anomalies"],
        key=lambda each: (_ORDER.get(each["severity"], 0), -each["rows"]),
    )
    if not found:
        return join([heading, note("Nothing was found.")])
    header = ("severity", "anomaly", "place", "rows", "remedy")
    body = table(header, map(_anomaly, found), class_="anomalies")
    return join([heading, body])


def _anomaly(anomaly: Mapping[str, Any]) -> list[str]:
    name, column = anomaly["table"], anomaly["column"]
    severity = str(anomaly["severity"])
    rows = numbers.count(anomaly["rows"]) if anomaly["rows"] else "–"
    first = ", ".join(map(str, anomaly["first_rows"]))
    return [
        element("span", severity, class_=f"badge {severity}"),
        str(anomaly["name"]),
        element("code", f"{name}.{column}" if column else name),
        join([rows, element("small", f" row {first}" if first else "")]),
        str(anomaly["remedy"]),
    ]


def _rows(rows: Mapping[str, Mapping[str, int]]) -> Html:
    """In = kept + rejected, said for each table."""
    cells = [
        [
            element("code", name),
            *(numbers.count(n[key]) for key in ("in", "kept", "rejected")),
            "yes" if n["in"] == n["kept"] + n["rejected"] else "NO",
        ]
        for name, n in rows.items()
    ]
    header = ("table", "rows in", "kept", "rejected", "in = kept + rejected")
    return join([element("h3", "Rows"), table(header, cells, class_="numeric")])


def build_drift(run: RunRecord) -> Html:
    """What moved since the statistics that were there before."""
    nodes = [name for name in run.nodes if name.endswith("_drift")]
    blocks = [_drift(run, name) for name in nodes]
    return section(
        DRIFT, *(blocks or [note("This run has compared no statistics.")])
    )


def _drift(run: RunRecord, node: str) -> Html:
    heading = element("h3", node.removesuffix("_drift"))
    pairs = [
        ("the statistics before", run.input(node, "previous_statistics")),
        ("the serving statistics", run.input(node, "serving_statistics")),
    ]
    now = run.input(node, "statistics")
    said = [
        f"{_called(now)} compared with {what}, {_called(other)}."
        for what, other in pairs
        if other is not None
    ]
    if not said:
        text = "There were no earlier statistics to compare with."
        return join([heading, note(text)])
    content = read(run.output(node, "anomalies"), _DRIFT_FILE)
    if content is None:
        return join([heading, *map(note, said), note("No result is there.")])
    found = anomalies_pb2.Anomalies.FromString(content)
    return join([heading, *map(note, said), *_measured(found)])


def _called(artifact: Artifact | None) -> str:
    """A span where one is written down, else when the artifact was made."""
    if artifact is None:
        return "statistics that are gone"
    made = numbers.moment(artifact.created)
    span = artifact.properties.get("span")
    return f"of {made}" if span in (None, "") else f"span {span} (of {made})"


def _measured(found: anomalies_pb2.Anomalies) -> Iterable[Html]:
    rows = [
        [
            element("code", ".".join(info.path.step)),
            kind,
            _DISTANCES.get(each.type, "other"),
            numbers.metric(each.value),
            numbers.metric(each.threshold),
            _verdict(each.value > each.threshold),
        ]
        for info in found.drift_skew_info
        for kind, measurements in (
            ("drift", info.drift_measurements),
            ("skew", info.skew_measurements),
        )
        for each in measurements
    ]
    if rows:
        header = ("column", "kind", "distance", "measured", "allowed", "")
        yield table(header, rows)
    said = [
        element("li", element("code", name), f" {info.description}")
        for name, info in sorted(found.anomaly_info.items())
    ]
    yield element("ul", *said) if said else note("No alarm.")


def _verdict(is_over: bool) -> Html:
    if is_over:
        return element("span", "alarm", class_="badge error")
    return element("span", "fine", class_="badge fine")
