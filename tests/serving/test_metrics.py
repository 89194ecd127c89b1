"""Prometheus' text format."""

from __future__ import annotations

from types import SimpleNamespace

from serving.gate import Call, Gate
from serving.metrics import Counter, Histogram, Metrics
from serving.model_host import VersionStatus


def test_a_counter_counts_by_its_labels():
    counter = Counter(("model_name", "status"))
    for status in ("OK", "OK", "NOT_FOUND"):
        counter.add("shop", status)
    assert counter.lines("c") == [
        'c{model_name="shop",status="NOT_FOUND"} 1',
        'c{model_name="shop",status="OK"} 2',
    ]


def test_buckets_are_cumulative_and_end_with_all():
    histogram = Histogram(("API",))
    for micros in (5, 10, 17, 2000):  # limits are 10, 18, 32.4, ...
        histogram.add(micros / 1e6, "Predict")
    lines = histogram.lines("h")
    assert lines[0] == 'h_bucket{API="Predict",le="10"} 2'
    assert lines[1] == 'h_bucket{API="Predict",le="18"} 3'
    assert lines[2] == 'h_bucket{API="Predict",le="32.4"} 3'
    assert lines[33] == 'h_bucket{API="Predict",le="+Inf"} 4'
    assert lines[34].startswith('h_sum{API="Predict"} 203')
    assert lines[35] == 'h_count{API="Predict"} 4'


def test_the_last_limit_is_about_twenty_minutes():
    histogram = Histogram(())
    histogram.add(1)
    limits = [line.split('"')[1] for line in histogram.lines("h")[:33]]
    assert 1000 < float(limits[-1]) / 1e6 < 1800


def test_label_values_are_escaped():
    counter = Counter(("a",))
    counter.add('x"\\\n')
    assert counter.lines("c") == ['c{a="x\\"\\\\\\n"} 1']


def test_the_page_has_gauges_of_models_and_queue():
    host = SimpleNamespace(
        name="shop",
        served_versions=[3, 4],
        statuses=lambda: [
            VersionStatus(4, "AVAILABLE"),
            VersionStatus(5, "END", "corrupt"),
            VersionStatus(2, "END"),
        ],
    )
    found, gate = Metrics(), Gate(2, 2)
    found.watch(SimpleNamespace(hosts=[host]), gate)
    with gate.turn(Call()):
        lines = found.page().splitlines()
    in_service = "interest_towers_version_in_service"
    assert f'{in_service}{{model_name="shop",version="3"}} 1' in lines
    assert f'{in_service}{{model_name="shop",version="4"}} 1' in lines
    assert 'interest_towers_versions_refused{model_name="shop"} 1' in lines
    assert "interest_towers_requests_running{} 1" in lines
    assert "interest_towers_requests_waiting{} 0" in lines
    assert "# TYPE :tensorflow:serving:request_latency histogram" in lines
