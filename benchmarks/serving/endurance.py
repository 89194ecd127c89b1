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
import itertools
import json
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from benchmarks.serving import questions, traffic
from benchmarks.serving.commotion import LiveItems, Memory, Swap, Swaps
from benchmarks.serving.endurance_report import SHARE, Report
from benchmarks.serving.launched import Launched, recommender_of, server
from benchmarks.serving.questions import Question
from benchmarks.serving.traffic import Board, Load, Outcome
from serving.client import Client
from serving.signatures import EXACT

_RUSH = 3.0  # times the capacity
_PROCESSES = 4  # that ask
_WORKERS, _RUSH_WORKERS = 64, 256
_NICENESS = 5  # of the server: who asks should not wait for it to ask
_ITEM_EVERY = 10.0  # seconds between commands on the catalogue


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
    add("--share", type=float, default=SHARE, help="of the capacity that is "
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
