"""Rows of the tables: one model or baseline over the seeds of its runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from benchmarks.quality.measure_names import MODEL, RANKS
from benchmarks.quality.pooling import Estimate, pool
from benchmarks.quality.results import Result

# [queries] ranks -> [queries] values.
Metric = Callable[[np.ndarray], np.ndarray]
# Arrays of a run -> [queries] bool.
Choice = Callable[[Result], np.ndarray]
_BASELINE_ORDER = ("random", "popularity", "markov", "text", "ngram")
_READS_TEXT = "text-knn"  # begins the names of rows that an encoder decides


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        label: what stands in the first column.
        key: name of the row within a run.
        runs: one per seed.
    """

    label: str
    key: str
    runs: tuple[Result, ...]

    @property
    def is_model(self) -> bool:
        return self.key.partition(",")[0] == MODEL

    def average(self, metric: Metric, choice: Choice) -> float | None:
        """Mean over seeds of a metric's means; None of no target."""
        found = [v.mean() for _, v in self._values(metric, choice) if len(v)]
        return float(np.mean(found)) if found else None

    def estimate(
        self, metric: Metric, choice: Choice | None = None
    ) -> Estimate | None:
        """A metric with its spread and interval; None of no target."""
        found = [each for each in self._values(metric, choice) if len(each[1])]
        return pool(*zip(*found, strict=True)) if found else None

    def _values(
        self, metric: Metric, choice: Choice | None
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per run, users and values of the chosen queries."""
        found = []
        for run in self.runs:
            values, user = metric(self.ranks(run)), run.arrays["user_id"]
            chosen = slice(None) if choice is None else choice(run)
            found.append((user[chosen], values[chosen]))
        return found

    def ranks(self, run: Result) -> np.ndarray:
        """[queries] ranks of this row in one of its runs."""
        return run.arrays[RANKS + self.key]

    def mean(self, name: str) -> float:
        """Mean over seeds of a metric that a run's summary holds."""
        found = [run.content["rows"][self.key][name] for run in self.runs]
        return float(np.mean(found))

    def cost(self, name: str) -> float:
        """Mean over seeds of what a run has cost."""
        return float(np.mean([run.content[name] for run in self.runs]))


def sections(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    """Runs by name of the data set and treatment, both in order."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        key = (result.job.data, str(result.job.treatment))
        found.setdefault(key, []).append(result)
    return dict(sorted(found.items()))


def rows_of(results: Sequence[Result]) -> list[Row]:
    """All rows of one section: baselines, then models, each over its seeds."""
    groups: dict[tuple[str, str], dict[int, Result]] = {}
    for result in sorted(results, key=lambda r: r.job.seed):
        for key in result.content["rows"]:
            label = _label(key, result)
            groups.setdefault((label, key), {}).setdefault(
                result.job.seed, result
            )
    rows = [
        Row(label, key, tuple(by_seed.values()))
        for (label, key), by_seed in groups.items()
    ]
    return sorted(rows, key=_place)


def _label(key: str, result: Result) -> str:
    base, comma, rest = key.partition(",")
    if base == MODEL:
        label = f"{result.job.variant} ({result.job.preset})"
        return f"**{label}**{comma}{rest}"
    if base.startswith(_READS_TEXT):
        return f"{base} ({result.content['text_encoder']}){comma}{rest}"
    return key


def _place(row: Row) -> tuple[int, int, str]:
    places = [
        place for place, name in enumerate(_BASELINE_ORDER)
        if row.key.startswith(name)
    ]
    return (int(row.is_model), places[0] if places else 0, row.label)
