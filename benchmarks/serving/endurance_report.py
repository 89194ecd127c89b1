"""What the endurance benchmark has found, and how it is told."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.serving.commotion import Swap
from benchmarks.serving.traffic import OK, REFUSED, Outcome

SHARE = 0.8  # of the capacity
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
    share: float = SHARE
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
