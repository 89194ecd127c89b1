"""Counters, gauges and histograms in Prometheus' text format.

Names, labels and buckets are TensorFlow Serving's where it has the same
metric, so that its dashboards and alarms fit; ours begin with
`interest_towers_`. A label's values come from the configuration and from
tables of the code, never from a request: their number is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.gate import Gate
    from serving.models import Models

PATH = "/monitoring/prometheus/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = ":tensorflow:serving:"
# Microseconds from 10 on, each limit 1.8 times the one before: 20 minutes.
_LIMITS = tuple(10 * 1.8**power for power in range(33))

Labels = tuple[str, ...]
Gauge = Callable[[], Iterable[tuple[Labels, float]]]


class Counter:
    """A number per combination of label values that only grows."""

    kind = "counter"

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._values: dict[Labels, int] = {}
        self._lock = threading.Lock()

    def add(self, *values: str) -> None:
        """One more under these label values."""
        with self._lock:
            self._values[values] = self._values.get(values, 0) + 1

    def lines(self, name: str) -> list[str]:
        """The samples, as Prometheus reads them."""
        with self._lock:
            found = sorted(self._values.items())
        return [
            _sample(name, self._labels, values, total)
            for values, total in found
        ]


class Histogram:
    """A distribution of microseconds per combination of label values."""

    kind = "histogram"

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def add(self, seconds: float, *values: str) -> None:
        """One more observation under these label values."""
        micros = seconds * 1e6
        bucket = sum(micros > limit for limit in _LIMITS)
        with self._lock:
            counts = self._counts.setdefault(values, [0] * (len(_LIMITS) + 1))
            counts[bucket] += 1
            self._sums[values] = self._sums.get(values, 0.0) + micros

    def lines(self, name: str) -> list[str]:
        """Cumulative buckets, sum and count, as Prometheus reads them."""
        with self._lock:
            found = [
                (values, list(counts), self._sums[values])
                for values, counts in sorted(self._counts.items())
            ]
        result = []
        for values, counts, total in found:
            below = 0
            for limit, count in zip(
                [*map("{:g}".format, _LIMITS), "+Inf"], counts, strict=True
            ):
                below += count
                result.append(
                    _sample(
                        f"{name}_bucket",
                        (*self._labels, "le"),
                        (*values, limit),
                        below,
                    )
                )
            result.append(_sample(f"{name}_sum", self._labels, values, total))
            result.append(_sample(f"{name}_count", self._labels, values, below))
        return result


class Metrics:
    """Everything that this server tells of itself.

    Attributes:
        requests: answered, by model and code.
        latency: of requests from the first byte known to the last, by model,
            API ("Predict", ...) and entry point ("GRPC" or "REST").
        runtime: of the graph alone, by model, API and runtime.
    """

    def __init__(self) -> None:
        self.requests = Counter(("model_name", "status"))
        self.latency = Histogram(("model_name", "API", "entrypoint"))
        self.runtime = Histogram(("model_name", "API", "runtime"))
        self._gauges: dict[str, tuple[Labels, Gauge]] = {}

    def watch(self, models: Models, gate: Gate) -> None:
        """Adds gauges of the models and of the queue."""
        self._gauges = {
            "requests_running": ((), lambda: [((), gate.running)]),
            "requests_waiting": ((), lambda: [((), gate.waiting)]),
            "version_in_service": (
                ("model_name", "version"),
                lambda: [
                    ((host.name, str(version)), 1)
                    for host in models.hosts
                    for version in host.served_versions
                ],
            ),
            "versions_refused": (
                ("model_name",),
                lambda: [
                    (
                        (host.name,),
                        sum(bool(s.refused_because) for s in host.statuses()),
                    )
                    for host in models.hosts
                ],
            ),
        }

    def page(self) -> str:
        """All metrics, as Prometheus reads them."""
        metrics: Mapping[str, Counter | Histogram] = {
            "request_count": self.requests,
            "request_latency": self.latency,
            "runtime_latency": self.runtime,
        }
        lines = []
        for name, metric in metrics.items():
            lines.append(f"# TYPE {_PREFIX}{name} {metric.kind}")
            lines += metric.lines(_PREFIX + name)
        for name, (labels, gauge) in self._gauges.items():
            name = f"interest_towers_{name}"
            lines.append(f"# TYPE {name} gauge")
            lines += [
                _sample(name, labels, values, value)
                for values, value in gauge()
            ]
        return "\n".join(lines) + "\n"


def _sample(name: str, labels: Labels, values: Labels, value: float) -> str:
    pairs = ",".join(
        f'{label}="{_escaped(text)}"'
        for label, text in zip(labels, values, strict=True)
    )
    return f"{name}{{{pairs}}} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    )
