"""Plots: where their marks stand."""

from __future__ import annotations

import re

import pytest

from pipeline.report import charts, html, numbers


def attributes(markup: str, tag: str) -> list[dict[str, str]]:
    return [
        dict(re.findall(r'([\w-]+)="([^"]*)"', found))
        for found in re.findall(rf"<{tag} ([^>]*)>", markup)
    ]


def test_bars_are_as_long_as_their_share_of_the_longest():
    drawn = charts.bars([("a", 40), ("b", 10), ("", 0)])
    widths = [each["width"] for each in attributes(drawn, "rect")]
    assert widths == ["100.00%", "25.00%", "0.00%"]
    assert "(blank)" in drawn


def test_a_histogram_spans_its_axis_and_stands_on_it():
    drawn = charts.histogram([(10, 20, 5), (20, 30, 10)])
    rects = attributes(drawn, "rect")
    assert [each["x"] for each in rects] == ["0.00%", "50.00%"]
    assert [each["y"] for each in rects] == ["50.00%", "0.00%"]
    assert [each["height"] for each in rects] == ["50.00%", "100.00%"]
    assert "<span>10</span><span>30</span>" in drawn


def test_an_interval_is_drawn_on_its_scale():
    drawn = charts.interval(
        0.2, (0.1, 0.3), high=0.4, marks={"markov": 0.05, "random": None}
    )
    track, mark, span = attributes(drawn, "line")
    assert track["class"] == "track"
    assert (mark["x1"], mark["class"]) == ("12.50%", "mark s2")
    assert (span["x1"], span["x2"]) == ("25.00%", "75.00%")
    assert attributes(drawn, "circle")[0]["cx"] == "50.00%"


def test_marks_keep_their_colour_where_one_is_missing():
    drawn = charts.interval(0.2, None, high=1, marks={"a": None, "b": 0.5})
    assert [each["class"] for each in attributes(drawn, "line")] == [
        "track", "mark s3"
    ]


def test_a_curve_goes_up_where_its_values_do():
    drawn = charts.curve(["1", "2"], [0.0, 2.0], [None, (1.0, 2.0)])
    low, high = attributes(drawn, "circle")
    assert (low["cx"], low["cy"]) == ("25.00%", "95.00%")
    assert (high["cx"], high["cy"]) == ("75.00%", "5.00%")
    (whisker,) = attributes(drawn, "line")
    assert (whisker["y1"], whisker["y2"]) == ("50.00%", "5.00%")


@pytest.mark.parametrize("values", [[1.0], [3.0, 3.0]])
def test_a_curve_of_one_value_is_drawn(values):
    drawn = charts.curve(["a"] * len(values), values, zero=False)
    assert len(attributes(drawn, "circle")) == len(values)


def test_few_labels_of_many_are_written():
    labels = [str(i) for i in range(100)]
    drawn = charts.curve(labels, [1.0] * 100)
    written = [t for t in re.findall("<span>([^<]*)</span>", drawn) if t]
    assert len(written) - 2 <= 9  # but for the two of the scale


def test_text_is_escaped_and_markup_is_not():
    inner = html.element("b", "<i>", title='"')
    assert inner == '<b title="&quot;">&lt;i&gt;</b>'
    assert html.element("p", inner, "&") == f"<p>{inner}&amp;</p>"
    assert isinstance(html.join(["<", inner]), html.Html)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(59.94, "59.9 s"), (119.9, "2 min 0 s"), (3599.8, "1 h 0 min"),
     (7199, "2 h 0 min")],
)
def test_a_duration_is_rounded_before_it_is_split(seconds, written):
    assert numbers.duration(seconds) == written


def test_a_time_that_is_no_date_is_a_number():
    assert numbers.date(0) == "1970-01-01"
    assert numbers.date(1e18) == "1,000,000,000,000,000,000"
