"""Trains, measures and tables many runs: `python -m benchmarks.quality`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality import datasets, plan, results, table
from benchmarks.quality.command_line import make_parser
from benchmarks.quality.execution import (
    as_duration,
    execute,
    remaining_seconds,
)
from benchmarks.quality.treatments import (
    COLD_ITEMS,
    LATEST,
    PLAIN,
    SAMPLE,
    SHUFFLE_TIES,
    TFRS,
    Treatment,
)
from trainer.settings import parse


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
        settings = parse(job.arguments(out, out))  # exits, naming what is wrong
        is_read = settings.config.text.reads_behaviour
        if is_read and job.treatment.kind in (COLD_ITEMS, TFRS):
            raise ValueError(
                f"behaviour_text is not read under {job.treatment}, which "
                "makes histories without what events say; leave one out."
            )
    return jobs


def _treatment(asked: argparse.Namespace) -> Treatment:
    if asked.shuffle_ties:
        return Treatment(SHUFFLE_TIES)
    if asked.cold_items is not None:
        return Treatment(COLD_ITEMS, asked.cold_items)
    if asked.latest_validation is not None:
        return Treatment(LATEST, asked.latest_validation)
    if asked.sample_users is not None:
        return Treatment(SAMPLE, asked.sample_users)
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns 0, or 1 where a run has failed."""
    parser = make_parser()
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


if __name__ == "__main__":
    # A process that is told to end takes the run of the moment with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
