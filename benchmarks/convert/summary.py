"""What a person should know of a conversion, line by line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from benchmarks.convert.conversion import Converted
from benchmarks.convert.output import table_file
from benchmarks.convert.source import Source
from schema import features
from trainer.tables.column_values import is_repeat

_MOMENT = (features.USER_ID, features.TIMESTAMP, features.POSITION)


def _tied_share(done: Converted) -> float:
    """Share of events at the very moment of an earlier one of their user."""
    columns = done.log.columns()
    moments = [columns[n][done.kept.rows] for n in _MOMENT if n in columns]
    return float(is_repeat(moments).mean())


def _rows(done: Converted, num_events: int) -> Iterator[str]:
    log = done.log
    yield (
        f"rows: {log.rows_in:,} read = {num_events:,} events + "
        f"{log.rejected:,} rejected + {sum(log.left_out.values()):,} left out"
    )
    for reason, count in log.left_out.items():
        if count:
            yield f"  left out: {count:,} {reason}"
    for report in done.reports:
        if report.rejected:
            yield f"  rejected: {report}"


def _items(done: Converted) -> Iterator[str]:
    items = done.items
    shares = ", ".join(
        f"{name} {count / items.num_wanted:.1%}"
        for name, count in done.filled.items()
    )
    yield f"items with {shares}"
    yield (
        f"  rows of items left out: {items.unwanted:,} without an event, "
        f"{items.repeated:,} that are there before"
    )
    if unknown := len(items.missing()):
        yield f"  items that only events know, written by id alone: {unknown:,}"


def _command(source: Source, out: Path) -> str:
    job_dir = out.with_name(f"{out.resolve().name}-job")
    return shlex.join([
        "python", "-m", "trainer.task", "--data-dir", str(out),
        "--split", source.split, "--job-dir", str(job_dir),
    ])


def summary(source: Source, done: Converted, out: Path) -> Iterator[str]:
    """Lines to print, the last of them the next command.

    Args:
        source: the dump.
        done: what became of it.
        out: the folder that was written.
    """
    num_events = int(done.kept.rows.sum())
    left = f"k-core of {done.kept.min_events}: " if done.kept.min_events else ""
    yield (
        f"{left}{done.users.num_wanted:,} users, {done.items.num_wanted:,} "
        f"items, {num_events:,} events"
    )
    yield from _rows(done, num_events)
    yield from _items(done)
    yield f"events at the time of an earlier one of the user: " \
        f"{_tied_share(done):.1%}"
    for note in source.notes:
        yield f"note: {note}"
    tables = [features.EVENTS, features.ITEMS]
    tables += [features.USERS] * bool(source.read_users)
    yield f"written: {', '.join(str(out / table_file(t)) for t in tables)}"
    yield f"next: {_command(source, out)}"
