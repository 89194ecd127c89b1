"""Plots as inline SVG without a word in them.

Coordinates are percentages and all text is HTML beside the drawing, so that
a plot takes any width and its labels stay readable on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.report.html import Html, element, join
from pipeline.report.numbers import count, plain


def _percent(value: float) -> str:
    return f"{min(100.0, max(0.0, 100 * value)):.2f}%"


def _svg(*children: str, class_: str, label: str) -> Html:
    return element(
        "svg", *children, class_=class_, role="img", aria_label=label
    )


def bars(
    rows: Sequence[tuple[str, float]],
    written: Callable[[float], str] = count,
) -> Html:
    """Horizontal bars, each with its name and its number.

    Args:
        rows: name and length of each bar.
        written: how a number is written.
    """
    longest = max((value for _, value in rows), default=0) or 1
    cells: list[str] = []
    for name, value in rows:
        bar = element("rect", width=_percent(value / longest), height="100%")
        cells += [
            element("span", name or "(blank)", class_="name", title=name),
            _svg(bar, class_="bar", label=f"{name}: {written(value)}"),
            element("span", written(value), class_="number"),
        ]
    return element("div", *cells, class_="bars")


def histogram(
    buckets: Sequence[tuple[float, float, float]],
    written: Callable[[float], str] = plain,
) -> Html:
    """Columns over intervals of a number.

    Args:
        buckets: lower end, upper end and count of each.
        written: how an end of the axis is written.
    """
    first, last = buckets[0][0], buckets[-1][1]
    width = last - first or 1
    highest = max(n for _, _, n in buckets) or 1
    columns = [
        element(
            "rect",
            x=_percent((low - first) / width),
            y=_percent(1 - n / highest),
            width=_percent(max((high - low) / width - 0.004, 0.004)),
            height=_percent(n / highest),
        )
        for low, high, n in buckets
    ]
    drawing = _svg(*columns, class_="histogram", label="histogram")
    ends = [element("span", written(end)) for end in (first, last)]
    return join([drawing, element("div", *ends, class_="axis")])


def interval(
    value: float,
    ends: tuple[float, float] | None,
    *,
    high: float,
    marks: Mapping[str, float | None] | None = None,
) -> Html:
    """A value with its interval on a scale from 0 to `high`.

    Args:
        value: where the dot is.
        ends: of the line through the dot, or None.
        high: end of the scale.
        marks: other values on the same scale; they take the colours of
            `legend` in the same order.
    """
    scale = high or 1
    parts = [element("line", x1="0", x2="100%", y1="50%", y2="50%",
                     class_="track")]
    for number, (name, mark) in enumerate((marks or {}).items(), 2):
        if mark is not None:
            at = _percent(mark / scale)
            parts.append(element(
                "line", element("title", f"{name} {mark:.4f}"),
                x1=at, x2=at, y1="10%", y2="90%", class_=f"mark s{number}",
            ))
    if ends is not None:
        x1, x2 = (_percent(end / scale) for end in ends)
        parts.append(
            element("line", x1=x1, x2=x2, y1="50%", y2="50%", class_="span s1")
        )
    dot = element("circle", cx=_percent(value / scale), cy="50%", r="4",
                  class_="dot s1")
    return _svg(*parts, dot, class_="interval", label=f"{value:.4f}")


def legend(names: Sequence[str]) -> Html:
    """Which colour is whose, in the order of the series."""
    entries = [
        element("span", element("i", class_=f"s{number}"), name)
        for number, name in enumerate(names, 1)
    ]
    return element("p", *entries, class_="legend")


def curve(
    labels: Sequence[str],
    values: Sequence[float],
    ends: Sequence[tuple[float, float] | None] | None = None,
    *,
    zero: bool = True,
    series: int = 1,
) -> Html:
    """A line through one value per label, with intervals where there are any.

    Args:
        labels: below the points; where there are many, some are left out.
        values: one per label.
        ends: of the interval around each value.
        zero: whether the axis begins at 0.
        series: number of the line's colour.
    """
    bounds = [end for pair in ends or () if pair for end in pair]
    low = 0.0 if zero else min([*values, *bounds])
    high = max([*values, *bounds])
    span = (high - low) or 1

    def y(value: float) -> float:
        return 0.95 - 0.9 * (value - low) / span

    points = [((i + 0.5) / len(values), y(v)) for i, v in enumerate(values)]
    whiskers = [
        _whisker(x, (y(pair[0]), y(pair[1])), series)
        for (x, _), pair in zip(points, ends or (), strict=False)
        if pair
    ]
    drawing = _svg(
        _line(points, series), *whiskers, *_dots(points, series),
        class_="curve", label="curve",
    )
    scale = [element("span", plain(end)) for end in (high, low)]
    return element(
        "div",
        element("div", *scale, class_="scale"),
        drawing,
        element("div", *_ticks(labels), class_="ticks"),
        class_="plot",
    )


def _line(points: Sequence[tuple[float, float]], series: int) -> Html:
    """A line in a drawing of its own, which is stretched to the plot."""
    path = " ".join(f"{100 * x:.2f},{100 * y:.2f}" for x, y in points)
    line = element("polyline", points=path, class_=f"line s{series}")
    return element(
        "svg", line, viewBox="0 0 100 100", preserveAspectRatio="none"
    )


def _dots(points: Sequence[tuple[float, float]], series: int) -> list[Html]:
    return [
        element("circle", cx=_percent(x), cy=_percent(y), r="3.5",
                class_=f"dot s{series}")
        for x, y in points
    ]


def _whisker(x: float, ys: tuple[float, float], series: int) -> Html:
    y1, y2 = map(_percent, ys)
    return element("line", x1=_percent(x), x2=_percent(x), y1=y1, y2=y2,
                   class_=f"span s{series}")


def _ticks(labels: Sequence[str]) -> list[Html]:
    step = max(1, (len(labels) - 1) // 8 + 1)
    return [
        element("span", label if i % step == 0 else "")
        for i, label in enumerate(labels)
    ]
