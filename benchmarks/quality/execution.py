"""Runs jobs one after the other, each in a fresh process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality import results
from benchmarks.quality.plan import Job
from benchmarks.quality.treatments import PLAIN

_ROOT = Path(__file__).parents[2]
_TAIL = 5  # last lines of a failed run's log that are shown


def execute(
    jobs: Sequence[Job], out: Path, text_cache: Path, *, keep_jobs: bool
) -> list[str]:
    """Runs what is not finished, one line of progress each.

    Args:
        jobs: in order.
        out: folder of everything that is written.
        text_cache: shared by all runs.
        keep_jobs: whether checkpoints of finished runs stay.

    Returns:
        Names of the jobs that failed.
    """
    left = [job for job in jobs if not results.is_finished(out, job)]
    print(f"runs: {len(jobs)}, finished before: {len(jobs) - len(left)}")
    failed = []
    for number, job in enumerate(left, start=1):
        rest = remaining_seconds(left[number - 1 :], out)
        print(
            f"[{number}/{len(left)}] {job.name}: {as_duration(rest)} left "
            "for all",
            flush=True,
        )
        started = time.monotonic()
        code, log = _run(job, out, text_cache, keep_jobs)
        spent = as_duration(time.monotonic() - started)
        if code:
            failed.append(job.name)
            lines = log.read_text(errors="replace").splitlines()[-_TAIL:]
            print(f"    failed after {spent}, see {log}:")
            print("\n".join(f"    {line}" for line in lines), flush=True)
            continue
        row = results.read(out, job.name).content["rows"]["model"]
        print(
            f"    {spent}: recall@10 {row['recall@10']:.4f}, ndcg@10 "
            f"{row['ndcg@10']:.4f}",
            flush=True,
        )
    return failed


def _run(
    job: Job, out: Path, text_cache: Path, keep_jobs: bool
) -> tuple[int, Path]:
    """Exit code of one job's process, and its log."""
    if job.treatment != PLAIN:
        job.treatment.write(
            Path(job.source), job.data_dir(out), split=job.split, seed=job.seed
        )
    for name in ("specs", "logs", "results", "ranks", "jobs"):
        (out / name).mkdir(parents=True, exist_ok=True)
    spec = out / "specs" / f"{job.name}.json"
    spec.write_text(json.dumps({
        "job": job.as_json(),
        "out": str(out),
        "text_cache": str(text_cache),
        "keep_jobs": keep_jobs,
    }))
    log = out / "logs" / f"{job.name}.log"
    command = [sys.executable, "-m", "benchmarks.quality.one_run", str(spec)]
    with open(log, "a", encoding="utf-8") as stream:
        done = subprocess.run(
            command, cwd=_ROOT, stdout=stream, stderr=subprocess.STDOUT
        )
    return done.returncode, log


def remaining_seconds(jobs: Sequence[Job], out: Path) -> float | None:
    """Seconds that jobs will take by what like ones took; None if unknown."""
    finished = results.read_all(out)
    total = 0.0
    for job in jobs:
        for likeness in (
            ("data", "preset", "variant"), ("data", "preset"), ("preset",), ()
        ):
            seconds = [
                result.content["total_seconds"]
                for result in finished
                if all(
                    getattr(result.job, field) == getattr(job, field)
                    for field in likeness
                )
            ]
            if seconds:
                total += statistics.median(seconds)
                break
        else:
            return None
    return total


def as_duration(seconds: float | None) -> str:
    """Seconds as a person says them.

    Example:
        >>> as_duration(3725.0)
        '1 h 02 min'
    """
    if seconds is None:
        return "unknown time"
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
