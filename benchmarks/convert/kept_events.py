"""Which events of a dump are kept, and why the others are not."""

from __future__ import annotations

import dataclasses

import numpy as np

from benchmarks.convert.event_log import EventLog
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.filters import k_core, without_repeats
from benchmarks.convert.reader import Reader
from benchmarks.convert.selection import Selection
from benchmarks.convert.source import Row, Source
from schema import features

_REPEATED = "events that are there before"
_UNTEXTED = "events of items without text"
_OUTSIDE = "events outside the k-core"


@dataclasses.dataclass(frozen=True)
class Kept:
    """Attributes: rows: [events] bool; min_events: k of the k-core."""

    rows: np.ndarray
    min_events: int


def has_text(row: Row) -> bool:
    """Something beside the id tells what the item is."""
    return any(row.get(name) for name in features.ITEM_TEXT_COLUMNS)


def _is_texted(source: Source, reader: Reader, log: EventLog) -> np.ndarray:
    """[items] bool by code: the item's first row has text."""
    everything = np.ones(len(log.items), bool)
    selection = Selection(features.ITEM_ID, log.items, everything)
    is_texted = np.zeros(len(log.items), bool)
    for row in selection.of(source.read_items(reader)):
        is_texted[log.items[row[features.ITEM_ID]]] = has_text(row)
    return is_texted


def _check_balance(log: EventLog, num_events: int) -> None:
    left_out = sum(log.left_out.values())
    if log.rows_in != num_events + log.rejected + left_out:
        raise RuntimeError(
            f"{log.rows_in} rows were read, but {num_events} kept, "
            f"{log.rejected} rejected and {left_out} left out: rows were lost."
        )


def kept_events(
    source: Source, reader: Reader, log: EventLog, *, min_events: int | None,
    keep_untexted: bool,
) -> Kept:
    """Filters the events; what goes is counted in `log.left_out`.

    Args:
        source: read already into `log`; its items are read where those
            without text are dropped.
        reader: of the items.
        log: all events.
        min_events: of each user and item; None for the source's default.
        keep_untexted: keep events of items of which only the id is known.

    Raises:
        ConversionError: if no event is left.
    """
    columns = log.columns()
    user, item = columns[features.USER_ID], columns[features.ITEM_ID]
    steps = {_REPEATED: without_repeats(columns)}
    if not keep_untexted:
        is_texted = _is_texted(source, reader, log)[item]
        steps[_UNTEXTED] = steps[_REPEATED] & is_texted
    if min_events is None:
        min_events = source.min_events
    steps[_OUTSIDE] = k_core(user, item, [*steps.values()][-1], min_events)
    before = len(user)
    for reason, is_kept in steps.items():
        log.left_out[reason] += before - int(is_kept.sum())
        before = int(is_kept.sum())
    _check_balance(log, before)
    if not before:
        reasons = ", ".join(f"{n:,} {name}" for name, n in log.left_out.items())
        raise ConversionError(
            f"no event is left of {log.rows_in:,} rows ({reasons}); give a "
            f"smaller --min-events than {min_events}, or --keep-untexted."
        )
    return Kept(steps[_OUTSIDE], min_events)
