"""Trains and measures many runs, one after the other, and tables them.

Runs data set x preset x variant x seed, each in a process of its own. What
is finished is not run again; what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from benchmarks.quality import datasets, plan, results, table
from benchmarks.quality.execution import (
    as_duration,
    execute,
    remaining_seconds,
)
from benchmarks.quality.treatments import (
    COLD_ITEMS,
    PLAIN,
    SHUFFLE_TIES,
    TFRS,
    Treatment,
)
from benchmarks.quality.variants import FULL, VARIANTS
from trainer.settings import parse

_EXAMPLES = """examples:
  python -m benchmarks.quality --data amazon-beauty ml-1m --seeds 0 1 2
  python -m benchmarks.quality --data amazon-beauty --variant full id-only
  python -m benchmarks.quality --data amazon-beauty --cold-items 0.05
  python -m benchmarks.quality --data ml-100k --protocol tfrs --set epochs=5
  python -m benchmarks.quality --table
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage of all flags would hide it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_what(parser)
    _add_data_changes(parser)
    _add_how(parser)
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", nargs="+", default=[], metavar="NAME",
        help=f"{', '.join(datasets.SPLITS)}, or folders of tables",
    )
    parser.add_argument(
        "--data-root", metavar="DIR", help="folder of the named sets "
        f"(default: the variable {datasets.ROOT_VARIABLE})",
    )
    parser.add_argument(
        "--split", choices=["time", "leave_one_out", "column"],
        help="instead of the data set's own protocol",
    )
    parser.add_argument(
        "--preset", nargs="+", default=["base"], metavar="NAME",
        help="of the trainer (default base)",
    )
    parser.add_argument(
        "--variant", nargs="+", default=[FULL], metavar="NAME",
        help=f"{', '.join(VARIANTS)} (default {FULL}); the first of them "
        "brings the baselines",
    )
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
        help="settings of the trainer for every run; they become part of "
        "the variant's name",
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], metavar="N",
        help="(default 0)",
    )


def _add_data_changes(parser: argparse.ArgumentParser) -> None:
    changes = parser.add_mutually_exclusive_group()
    changes.add_argument(
        "--shuffle-ties", action="store_true",
        help="draw the order of a user's events of equal timestamp anew, by "
        "the seed of the run",
    )
    changes.add_argument(
        "--cold-items", type=float, metavar="SHARE",
        help="remove all events but the test targets of this share of the "
        "test items; runs on all events come with it",
    )
    changes.add_argument(
        "--protocol", choices=["standard", "tfrs"], default="standard",
        help="tfrs: the random 80/20 split of TFRS's basic retrieval "
        "tutorial, every test event asked from the whole train history",
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("runs/quality"), metavar="DIR",
        help="folder of all results (default runs/quality)",
    )
    parser.add_argument(
        "--text-cache", type=Path, metavar="DIR",
        help="of text vectors, shared by all runs (default OUT/text_cache)",
    )
    parser.add_argument(
        "--keep-jobs", action="store_true",
        help="keep the checkpoints of finished runs",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list the runs, and stop"
    )
    parser.add_argument(
        "--table", action="store_true",
        help="table what is finished, and run nothing",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns 0, or 1 where a run has failed."""
    parser = _parser()
    asked = parser.parse_args(argv)
    out = asked.out.resolve()
    try:
        if asked.table:
            _write_table(out)
            return 0
        jobs = _jobs(asked, out)
        if asked.dry_run:
            _list(jobs, out)
            return 0
        cache = (asked.text_cache or out / "text_cache").resolve()
        failed = execute(jobs, out, cache, keep_jobs=asked.keep_jobs)
        if len(failed) < len(jobs):
            _write_table(out)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here")
        return 130
    if failed:
        print(f"{len(failed)} failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _jobs(asked: argparse.Namespace, out: Path) -> list[plan.Job]:
    """The jobs that a command line asks for, every setting checked."""
    if not asked.data:
        known = ", ".join(datasets.SPLITS)
        raise ValueError(f"--data missing; name folders, or some of {known}.")
    root = datasets.data_root(asked.data_root)
    found = [datasets.find(n, root, asked.split) for n in asked.data]
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise ValueError(f"--data: two sets of one name in {names}.")
    jobs = plan.make(
        found, presets=asked.preset, names=asked.variant, extra=asked.set,
        seeds=asked.seeds, treatment=_treatment(asked),
    )
    for job in jobs:
        parse(job.arguments(out, out))  # exits, naming what is wrong
    return jobs


def _treatment(asked: argparse.Namespace) -> Treatment:
    if asked.shuffle_ties:
        return Treatment(SHUFFLE_TIES)
    if asked.cold_items is not None:
        return Treatment(COLD_ITEMS, asked.cold_items)
    return Treatment(TFRS) if asked.protocol == TFRS else PLAIN


def _list(jobs: Sequence[plan.Job], out: Path) -> None:
    left = []
    for job in jobs:
        is_finished = results.is_finished(out, job)
        left += [] if is_finished else [job]
        print(f"{'finished' if is_finished else 'to run':<9} {job.name}")
    rest = as_duration(remaining_seconds(left, out))
    print(f"{len(left)} of {len(jobs)} to run, {rest}")


def _write_table(out: Path) -> None:
    text = table.report(results.read_all(out))
    (out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    sys.exit(main())
