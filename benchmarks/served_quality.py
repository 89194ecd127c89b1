"""Leave-one-out figures of a bundle, through its own `recommend` signature.

    python -m benchmarks.served_quality --data-dir DATA --bundle VERSION_DIR

Reads the raw CSV with the standard library and asks the exported model, so it
shares no code with the trainer's evaluation that it checks.
"""

from __future__ import annotations

import argparse
import collections
import csv
import gzip
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

_BATCH = 64
_K = 10
Event = tuple[int, int, int, str]  # timestamp, position, line, item


def histories(path: Path) -> list[list[Event]]:
    """Events of each user in order of time, position and line."""
    users: dict[str, list[Event]] = collections.defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file)):
            position = int(row.get("position") or 0)
            users[row["user_id"]].append(
                (int(row["timestamp"]), position, line, row["item_id"])
            )
    return [sorted(events) for events in users.values() if len(events) > 1]


def request(users: list[list[Event]]) -> dict[str, Any]:
    """All events but the last of each user, padded on the right."""
    number, longest = len(users), max(len(events) for events in users) - 1
    items = np.full((number, longest), "", object)
    times = np.zeros((number, longest), np.int64)
    for row, events in enumerate(users):
        known = events[:-1]
        items[row, : len(known)] = [item for *_, item in known]
        times[row, : len(known)] = [time for time, *_ in known]
    nothing = np.full(number, "", object)
    return {
        "history_item_ids": items,
        "history_event_types": np.full_like(items, ""),
        "history_timestamps": times,
        "history_scenarios": np.full_like(items, ""),
        "scenario": nothing,
        "profile_text": nothing,
        "exclude_item_ids": np.full((number, 0), "", object),
        "k": np.full(number, _K, np.int32),
    }


def main() -> None:
    """Prints recall@10 and ndcg@10 over all users."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--bundle", required=True, type=Path)
    asked = parser.parse_args()
    from serving.recommender import Recommender

    model = Recommender(asked.bundle)
    users = sorted(histories(asked.data_dir / "events.csv.gz"), key=len)
    gains: list[float] = []
    started = time.monotonic()
    for at in range(0, len(users), _BATCH):
        batch = users[at : at + _BATCH]
        answer = model.predict("recommend", request(batch), ["item_ids"])
        for events, row in zip(batch, answer["item_ids"], strict=True):
            found = [item.decode() for item in row]
            target = events[-1][-1]
            rank = found.index(target) if target in found else None
            gains.append(0.0 if rank is None else 1 / math.log2(2 + rank))
    hits = sum(gain > 0 for gain in gains)
    print(
        f"{len(gains)} users: recall@10 {hits / len(gains):.4f}, ndcg@10 "
        f"{sum(gains) / len(gains):.4f}, {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
