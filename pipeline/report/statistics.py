"""What the tables hold, as StatisticsGen counted it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from tensorflow_metadata.proto.v0 import statistics_pb2

from pipeline.report import numbers
from pipeline.report.charts import bars, histogram
from pipeline.report.files import read
from pipeline.report.html import Html, element, join, note, section, table
from pipeline.report.metadata import RunRecord

TITLE = "Data"
TABLES = ("events", "items", "users", "scenarios")
_FILE = "Split-all/FeatureStats.pb"
_ROW = "_row"  # a column of the pipeline's own
_TOP = 8  # values of a column that are drawn
_TIMES = ("timestamp", "available_from")  # columns of unix seconds

Feature: TypeAlias = statistics_pb2.FeatureNameStatistics


def build(run: RunRecord) -> Html:
    """One block per table that the run has read."""
    blocks = [_block(run, name) for name in TABLES]
    found = [block for block in blocks if block is not None]
    if not found:
        found = [note("This run has no statistics of tables.")]
    return section(TITLE, *found)


def _block(run: RunRecord, name: str) -> Html | None:
    content = read(run.output(f"{name}_statistics", "statistics"), _FILE)
    if content is None:
        if f"{name}_statistics" not in run.nodes:
            return None
        return join([
            element("h3", name),
            note(f"The statistics of {name} are not there (any more)."),
        ])
    parsed = statistics_pb2.DatasetFeatureStatisticsList.FromString(content)
    if not parsed.datasets:
        return join([element("h3", name), note("The table is empty.")])
    data = parsed.datasets[0]
    features = sorted(_shown(data.features), key=_name)
    rows = element(
        "small", f" {numbers.count(data.num_examples)} rows"
    )
    return join([
        element("h3", name, rows),
        _columns(features),
        element("div", *_plots(features), class_="cards"),
    ])


def _shown(features: Iterable[Feature]) -> Iterable[Feature]:
    """All columns of the table; of the pipeline's own those that are used."""
    for feature in features:
        name = _name(feature)
        is_used = _common(feature).num_non_missing and name != _ROW
        if is_used or not name.startswith("_"):
            yield feature


def _name(feature: Feature) -> str:
    return ".".join(feature.path.step) if feature.path.step else feature.name


def _common(feature: Feature) -> statistics_pb2.CommonStatistics:
    kind = feature.WhichOneof("stats")
    if kind is None:
        return statistics_pb2.CommonStatistics()
    return getattr(feature, kind).common_stats


def _columns(features: Iterable[Feature]) -> Html:
    header = ("column", "type", "missing", "distinct", "lowest", "highest")
    return table(header, map(_column, features), class_="columns")


def _column(feature: Feature) -> list[str]:
    common = _common(feature)
    rows = common.num_non_missing + common.num_missing
    type_name = statistics_pb2.FeatureNameStatistics.Type.Name(feature.type)
    low = high = distinct = "–"
    if feature.HasField("num_stats") and common.num_non_missing:
        written = _writer(feature)
        low = written(feature.num_stats.min)
        high = written(feature.num_stats.max)
    if feature.HasField("string_stats"):
        distinct = numbers.count(feature.string_stats.unique)
    return [
        element("code", _name(feature)),
        type_name.lower(),
        numbers.share(common.num_missing, rows),
        distinct,
        low,
        high,
    ]


def _writer(feature: Feature) -> Callable[[float], str]:
    return numbers.date if _name(feature) in _TIMES else numbers.plain


def _plots(features: Iterable[Feature]) -> Iterable[Html]:
    for feature in features:
        drawing = _plot(feature)
        if drawing is not None:
            title = element("h4", _name(feature))
            yield element("figure", title, drawing)


def _plot(feature: Feature) -> Html | None:
    """Top values or a histogram, where there is something to see."""
    if feature.HasField("string_stats"):
        top = feature.string_stats.top_values[:_TOP]
        if not top or _is_name(feature):
            return None
        return bars([(value.value, value.frequency) for value in top])
    buckets = _buckets(feature)
    return histogram(buckets, _writer(feature)) if buckets else None


def _is_name(feature: Feature) -> bool:
    """Whether most rows have a value of their own, such as a title."""
    stats = feature.string_stats
    return bool(stats.unique > stats.common_stats.num_non_missing / 2)


def _buckets(feature: Feature) -> list[tuple[float, float, float]]:
    """Buckets of equal width, where a number has more than one value."""
    if not feature.HasField("num_stats"):
        return []
    stats = feature.num_stats
    for each in stats.histograms:
        if each.type == each.STANDARD and stats.max > stats.min:
            return [
                (bucket.low_value, bucket.high_value, bucket.sample_count)
                for bucket in each.buckets
            ]
    return []
