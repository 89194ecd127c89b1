"""Half an hour of a shop's life: load, new versions, items, then a rush.

    python -m benchmarks.serving.endurance --bundle JOB/export/recommender/1

What the server can do is measured first. Then requests of all kinds come at
80 % of that rate, or at another `--share`, while versions are swapped, one of
them corrupt, and items come and go by `serving.index`; every answer is
compared with what is right. Then they come at three times what it can do, and
at the share again.

Ends with 1 if a request before the rush failed or an answer was wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.serving import questions, traffic
from benchmarks.serving.commotion import LiveItems, Memory, Swap, Swaps
from benchmarks.serving.launched import Launched, recommender_of, server
from benchmarks.serving.questions import Question
from benchmarks.serving.traffic import OK, REFUSED, Board, Load, Outcome
from serving.client import Client
from serving.signatures import EXACT

_SHARE, _RUSH = 0.8, 3.0
_PROCESSES = 4  # that ask
_WORKERS, _RUSH_WORKERS = 64, 256
_NICENESS = 5  # of the server: who asks should not wait for it to ask
_ITEM_EVERY = 10.0  # seconds between commands on the catalogue
_MB = 2**20


@dataclasses.dataclass
class Report:
    """All that was measured.

    Attributes:
        capacity: requests a second that the server can do.
        share: of it that comes outside of the rush.
        outcomes, rush, afterwards: of the requests of each part.
        swaps, item_commands, item_faults, memory: of the first part.
    """

    capacity: float = 0.0
    share: float = _SHARE
    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    rush: list[Outcome] = dataclasses.field(default_factory=list)
    afterwards: list[Outcome] = dataclasses.field(default_factory=list)
    swaps: list[Swap] = dataclasses.field(default_factory=list)
    item_commands: int = 0
    item_faults: list[str] = dataclasses.field(default_factory=list)
    memory: list[tuple[float, int]] = dataclasses.field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second that come outside of the rush."""
        return self.share * self.capacity

    @property
    def beside_loading(self) -> list[Outcome]:
        """Of the requests before the rush, those due while a version loads."""
        spans = [
            (swap.started, swap.started + swap.seconds)
            for swap in self.swaps if not swap.said
        ]
        return [
            outcome for outcome in self.outcomes
            if any(start <= outcome.due <= end for start, end in spans)
        ]

    @property
    def failed(self) -> Counter[str]:
        """Codes of the requests before the rush that got no answer."""
        return Counter(o.code for o in self.outcomes if o.code != OK)

    @property
    def wrong(self) -> list[str]:
        """What is wrong with any answer at all."""
        every = [*self.outcomes, *self.rush, *self.afterwards]
        return [o.fault for o in every if o.fault] + self.item_faults

    @property
    def is_sound(self) -> bool:
        """Whether all before the rush were answered, and all rightly."""
        return not self.failed and not self.wrong

    def recovery(self) -> float:
        """Seconds after the rush until a second is as those before it were.

        That is: none refused or failed, and the slowest twentieth no slower
        than twice the slowest twentieth before the rush.
        """
        limit = 2 * _percentiles(self.outcomes)[1]
        start = min(o.due for o in self.afterwards)
        seconds: dict[int, list[Outcome]] = {}
        for each in self.afterwards:
            seconds.setdefault(int(each.due - start), []).append(each)
        for number, every in sorted(seconds.items()):
            is_answered = all(o.code == OK for o in every)
            if is_answered and _percentiles(every)[1] <= limit:
                return float(number)
        return float("inf")

    def growth(self) -> tuple[float, float, float]:
        """MB of the server after a sixth, at the end, and gained per swap.

        Medians of a sixth of the time each; the gain is a line's slope from
        the first of them on.
        """
        values = np.array([size for _, size in self.memory]) / _MB
        part = max(1, len(values) // 6)
        settled = values[part:]
        slope = np.polyfit(np.arange(len(settled)), settled, 1)[0]
        swaps = max(1, len(self.swaps)) * len(settled) / len(values)
        return (
            float(np.median(values[part : 2 * part])),
            float(np.median(values[-part:])),
            float(slope * len(settled) / swaps),
        )

    def __str__(self) -> str:
        loads = [swap.seconds for swap in self.swaps if not swap.said]
        early, late, gain = self.growth()
        refused = sum(o.code in REFUSED for o in self.rush)
        others = Counter(
            o.code for o in self.rush if o.code not in REFUSED | {OK}
        )
        lines = [
            f"capacity {self.capacity:.0f} requests/s, asked {self.rate:.0f}",
            _row("in service", self.outcomes),
            _row("of these, while a version loads", self.beside_loading),
            f"failed {sum(self.failed.values())} {dict(self.failed) or ''}, "
            f"wrong {len(self.wrong)}",
            *sorted(set(self.wrong))[:5],
            f"{len(loads)} swaps, {np.median(loads):.1f} s each (at most "
            f"{max(loads):.1f}); {self.item_commands} items came or went",
            *(f"refused: {swap.said}" for swap in self.swaps if swap.said),
            f"server's memory, MB: {early:.0f}, at the end {late:.0f}, "
            f"{gain:+.1f} a swap",
            _row("rush, admitted", self.rush),
            _row("the same, from when they were sent", [
                dataclasses.replace(o, seconds=o.seconds - o.waited)
                for o in self.rush
            ]),
            f"rush refused {refused} of {len(self.rush)}, otherwise failed "
            f"{dict(others) or 0}",
            _row("after the rush", self.afterwards),
            f"recovered after {self.recovery():.0f} s",
        ]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Figures, and latencies and memory by ten seconds for a plot."""
        start = min(each.due for each in self.outcomes)
        slots: dict[int, list[Outcome]] = {}
        for each in self.outcomes:
            slots.setdefault(int((each.due - start) // 10), []).append(each)
        return {
            "capacity": self.capacity,
            "text": str(self).splitlines(),
            "swaps": [dataclasses.asdict(each) for each in self.swaps],
            "p95_ms_by_10_s": [
                _percentiles(every)[1] for _, every in sorted(slots.items())
            ],
            "memory_mb_by_10_s": [
                size / _MB for _, size in self.memory[::10]
            ],
        }


def _percentiles(outcomes: Sequence[Outcome]) -> list[float]:
    """p50, p95, p99 and the most, of the answered, in ms; inf of none."""
    seconds = [o.seconds for o in outcomes if o.code == OK]
    if not seconds:
        return [float("inf")] * 4
    values = 1e3 * np.percentile(seconds, [50, 95, 99, 100])
    return [float(value) for value in values]


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    p50, p95, p99, most = _percentiles(outcomes)
    answered = sum(o.code == OK for o in outcomes)
    return (
        f"{name}: {answered} of {len(outcomes)} answered, ms p50 {p50:.1f}, "
        f"p95 {p95:.1f}, p99 {p99:.1f}, most {most:.0f}"
    )


def measure(
    bundle: Path, base: Path, launched: Launched, every: list[Question],
    asked: argparse.Namespace,
) -> Report:
    """Goes through all that the module's head says.

    Args:
        bundle: that new versions are copies of.
        base: folder of the versions that are served.
        launched: the server, with a REST port.
        every: that is asked.
        asked: the command's flags.
    """
    report = Report(share=asked.share)
    board, seeds = base.with_name("board"), itertools.count(asked.seed)

    def ask(rate: float | None, seconds: float, workers: int) -> list[Outcome]:
        load = Load(rate, seconds, workers, next(seeds))
        return traffic.ask_from_many(launched, every, board, load, _PROCESSES)

    with Client(launched.target, retries=None) as client:
        ids = questions.histories_of(every)
        items = LiveItems(client, base, ids, Board(board), asked.seed)
        swaps = Swaps(launched, base, bundle)
        ask(None, asked.trial / 2, _WORKERS)  # warms up
        trial = ask(None, asked.trial, _WORKERS)
        report.capacity = len(trial) / asked.trial
        seconds = 60 * asked.minutes
        with Memory(launched.pid) as memory, ThreadPoolExecutor(2) as pool:
            until = time.monotonic() + seconds
            around = [
                pool.submit(items.run, until, _ITEM_EVERY),
                pool.submit(
                    _swap, swaps, report.swaps, seconds, asked.swaps
                ),
            ]
            report.outcomes = ask(report.rate, seconds, _WORKERS)
            for each in around:
                each.result()
        report.memory = memory.samples
        report.rush = ask(
            _RUSH * report.capacity, asked.rush, _RUSH_WORKERS
        )
        report.afterwards = ask(report.rate, asked.rush, _WORKERS)
    report.item_commands, report.item_faults = items.done, items.faults
    return report


def _swap(swaps: Swaps, found: list[Swap], seconds: float, count: int) -> None:
    """All swaps, evenly, with a corrupt version after half of them."""
    began = time.monotonic()
    bar = tqdm(range(1, count + 2), desc="versions", unit="version")
    for number in bar:
        due = began + seconds * number / (count + 2)
        time.sleep(max(0.0, due - time.monotonic()))
        found.append(swaps.next(is_corrupt=number == count // 2 + 1))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--bundle", type=Path, required=True, help="a version's folder")
    add("--minutes", type=float, default=30.0, help="of load (30)")
    add("--share", type=float, default=_SHARE, help="of the capacity that is "
        "asked for outside of the rush (%(default)s)")
    add("--swaps", type=int, default=20, help="of versions (20)")
    add("--trial", type=float, default=20.0, help="seconds to find the "
        "capacity in, after half as many to warm up (20)")
    add("--rush", type=float, default=60.0, help="seconds of it (60)")
    add("--users", type=int, default=40, help="whose questions are asked (40)")
    add("--seed", type=int, default=0, help="of all that is drawn (0)")
    add("--flags", default="", help="more flags of the server: "
        "--flags='--grpc_max_threads 4'")
    add("--out", type=Path, help="file for the figures, as JSON")
    asked = parser.parse_args()
    parts = (asked.minutes, asked.share, asked.swaps, asked.trial, asked.rush)
    if min(parts) <= 0:
        parser.error(
            "--minutes, --share, --swaps, --trial and --rush are above 0."
        )
    recommender = recommender_of(asked.bundle, parser)
    kind = recommender.manifest.kind if recommender.manifest else "foreign"
    if kind != EXACT:
        parser.exit(
            1, f"error: {asked.bundle} is a {kind} bundle; pass an exact one, "
            "whose lists are known: EXPORT/recommender/1.\n"
        )
    try:
        every = questions.of_bundle(recommender, asked.users, asked.seed)
        del recommender  # the server gets its memory
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder, "recommender")
            shutil.copytree(asked.bundle, base / "1")
            with server(
                base, *asked.flags.split(), has_rest=True, niceness=_NICENESS
            ) as launched:
                report = measure(asked.bundle, base, launched, every, asked)
    except (RuntimeError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    print(report)
    if asked.out:
        asked.out.write_text(json.dumps(report.as_json(), indent=1))
    return 0 if report.is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
