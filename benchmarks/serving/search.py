"""ScaNN as the twins use it, beside exact search, faiss and hnswlib.

    python -m benchmarks.serving.search
    python -m benchmarks.serving.search --items 10000 --without faiss-hnsw
    python -m benchmarks.serving.search --items 1000000 --json search.json

Planted items and users (`benchmarks/serving/planted_vectors.py`). Every search
takes its fastest setting that finds the wanted share of the exact best 100 for
some users, and is then told by other users: what it finds, and how many
queries it answers in a second, one, 64 and 500 at a time. The searches are
timed in turns, so that all meet the same machine; a ratio is the median of
those of each turn. CPU seconds, of all threads, are what another program on
the machine changes least.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tqdm import tqdm

from benchmarks.serving import searchers
from benchmarks.serving.planted_vectors import Planted, planted
from benchmarks.serving.searchers import Searcher

_K = 100
_USERS = 500  # that choose, and as many held out
_AT_ONCE = (1, 64, _USERS)  # queries of a call
_EXACT = "exact"
_SECONDS = 1.0  # of one search in one turn, at least, for each way of asking
_CHOICES: dict[str, Callable[..., Searcher]] = {
    "faiss-flat": searchers.FaissFlat,
    "faiss-ivf": searchers.FaissIvf,
    "faiss-hnsw": searchers.FaissHnsw,
    "hnswlib": searchers.Hnswlib,
}


def _turns() -> dict[int, list[float]]:
    return {number: [] for number in _AT_ONCE}


@dataclasses.dataclass
class Row:
    """What is told of one search of one catalogue.

    Attributes:
        name, setting: of the search.
        recall: share of the exact best k that it finds for held-out users.
        build_s: seconds of its building, our plan's choice among them.
        memory_mb: that the process grew by.
        size_mb: of the index as it is written.
        per_s: queries/s in each turn, by how many are asked at once.
        cpu_ms: of one query, likewise.
    """

    name: str
    build_s: float
    memory_mb: float
    size_mb: float
    setting: str = ""
    recall: float = 0.0
    per_s: dict[int, list[float]] = dataclasses.field(default_factory=_turns)
    cpu_ms: dict[int, list[float]] = dataclasses.field(default_factory=_turns)


def best_rows(
    items: np.ndarray, queries: np.ndarray, k: int = _K
) -> np.ndarray:
    """[q, k] rows of the greatest products, in any order."""
    found = []
    for start in range(0, len(queries), 50):
        products = queries[start : start + 50] @ items.T
        found.append(np.argpartition(-products, k - 1, axis=1)[:, :k])
    return np.concatenate(found)


def recall(found: np.ndarray, best: np.ndarray) -> np.ndarray:
    """[q] share of each row of `best` that stands in that row of `found`."""
    pairs = zip(found.tolist(), best.tolist(), strict=True)
    return np.array([len({*f} & {*b}) / len({*b}) for f, b in pairs])


def choose(
    searcher: Searcher, queries: np.ndarray, best: np.ndarray, wanted: float
) -> int:
    """Leaves a search at its first setting that finds enough, or its last.

    As `serving.recall` does it: the mean less two standard errors, so that
    other queries find enough too.
    """
    for setting in searcher.settings:
        searcher.use(setting)
        shares = recall(searcher(queries, best.shape[1]), best)
        error = np.std(shares, ddof=1) / len(shares) ** 0.5
        if shares.mean() - 2 * error >= wanted:
            break
    return setting


def built(
    name: str, make: Callable[[np.ndarray], Searcher], items: np.ndarray
) -> tuple[Searcher, Row]:
    """A search, and what its building has cost."""
    gc.collect()
    process = psutil.Process()
    before, started = process.memory_info().rss, time.perf_counter()
    searcher = make(items)
    seconds = time.perf_counter() - started
    gc.collect()
    grown = process.memory_info().rss - before
    size = searcher.size() / 2**20
    return searcher, Row(name, seconds, grown / 2**20, size)


def timed(work: Callable[[int], Any], seconds: float) -> tuple[float, float]:
    """Wall and CPU seconds of a call, over as many as fill some seconds."""
    count = 0
    started, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds or not count:
        work(count)
        count += 1
    wall = time.perf_counter() - started
    return wall / count, (time.process_time() - cpu) / count


def take_turns(
    pairs: Sequence[tuple[Searcher, Row]],
    queries: np.ndarray,
    turns: int,
    seconds: float,
) -> None:
    """Times all searches, one after the other, some times over."""

    def ask(searcher: Searcher, number: int, call: int) -> None:
        at = call * number % (len(queries) - number + 1)
        searcher(queries[at : at + number], _K)

    for _ in tqdm(range(turns), "turns", leave=False, disable=None):
        for searcher, row in pairs:
            for wanted in _AT_ONCE:
                number = min(wanted, len(queries))
                work = functools.partial(ask, searcher, number)
                work(0)  # what the one before left in the caches
                wall, cpu = timed(work, seconds)
                row.per_s[wanted].append(number / wall)
                row.cpu_ms[wanted].append(1e3 * cpu / number)


def compared(
    data: Planted, wanted: float, without: Sequence[str], turns: int,
    seconds: float = _SECONDS,
) -> list[Row]:
    """All searches of one catalogue."""
    best = best_rows(data.items, data.choosing)
    ours = functools.partial(searchers.Scann, recall=wanted)
    makers: dict[str, Callable[[np.ndarray], Searcher]] = {
        _EXACT: searchers.Exact,
        searchers.Scann.name: ours,
        **{
            make.name: make
            for key, make in _CHOICES.items() if key not in without
        },
    }
    pairs = []
    for name, make in tqdm(makers.items(), "built", leave=False, disable=None):
        searcher, row = built(name, make, data.items)
        row.setting = str(choose(searcher, data.choosing, best, wanted))
        if isinstance(searcher, searchers.Scann):
            plan = searcher.plan
            row.setting = f"{plan.leaves_searched} of {plan.leaves}"
        pairs.append((searcher, row))
    best = best_rows(data.items, data.held_out)
    for searcher, row in pairs:
        row.recall = float(recall(searcher(data.held_out, _K), best).mean())
    take_turns(pairs, data.held_out, turns, seconds)
    return [row for _, row in pairs]


def ratio(rows: Sequence[Row], row: Row, number: int) -> float:
    """Median over the turns of a search's queries/s by the exact one's."""
    exact = next(each for each in rows if each.name == _EXACT)
    pairs = zip(row.per_s[number], exact.per_s[number], strict=True)
    return statistics.median(mine / its for mine, its in pairs)


def table(rows: Sequence[Row]) -> str:
    """One line for each search."""
    columns = [
        "", "setting", "recall@100", "build s", "memory MB", "size MB",
        *(
            column
            for number in _AT_ONCE
            for column in (f"{number} at once, queries/s", "x exact", "CPU ms")
        ),
    ]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [row.name, row.setting, f"{row.recall:.4f}"]
        cells += [f"{row.build_s:.1f}", f"{row.memory_mb:.0f}"]
        cells += [f"{row.size_mb:.0f}"]
        for number in _AT_ONCE:
            cells.append(f"{statistics.median(row.per_s[number]):.0f}")
            cells.append(f"{ratio(rows, row, number):.1f}")
            cells.append(f"{statistics.median(row.cpu_ms[number]):.3f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """All flags."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.serving.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000],
        help="sizes of the catalogues (10000 100000 1000000)")
    add("--dim", type=int, default=64, help="width of the vectors (64)")
    add("--recall", type=float, default=0.99, help="wanted at 100 (.99)")
    add("--turns", type=int, default=7, help="(7)")
    add("--seed", type=int, default=0, help="of the vectors (0)")
    add("--without", nargs="+", default=[], choices=_CHOICES,
        help="searches to leave out")
    add("--json", type=Path, help="a file for all figures")
    return result


def _checked(argv: Sequence[str] | None) -> argparse.Namespace:
    flags = parser()
    asked = flags.parse_args(argv)
    if min(asked.items) < _K:
        flags.error(f"--items: the best {_K} are asked for; got {asked.items}.")
    if min(asked.dim, asked.turns) < 1 or asked.seed < 0:
        flags.error("--dim and --turns are above 0, --seed is 0 or more.")
    if not 0 < asked.recall <= 1:
        flags.error(f"--recall is above 0, at most 1; got {asked.recall}.")
    if asked.json and not asked.json.absolute().parent.is_dir():
        flags.error(f"--json: there is no folder {asked.json.parent}.")
    return asked


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a table for each size."""
    asked = _checked(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    told = {}
    for size in asked.items:
        data = planted(size, asked.dim, _USERS, asked.seed)
        try:
            rows = compared(data, asked.recall, asked.without, asked.turns)
        except ImportError as error:
            print(f"error: {error}; pip install -r "
                  "benchmarks/serving/requirements.txt, or leave it out by "
                  "--without.", file=sys.stderr)
            return 1
        print(f"\n{size:,} x {asked.dim}, load "
              f"{os.getloadavg()[0]:.1f}\n{table(rows)}", flush=True)
        told[size] = [dataclasses.asdict(row) for row in rows]
        if asked.json:
            asked.json.write_text(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
