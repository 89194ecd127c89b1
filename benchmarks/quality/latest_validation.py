"""Validation by time, for a table whose `split` column has none.

The trainer holds out users where a `split` column names no validation rows;
their last events are as early as any, and nothing of them is new. Where test
events come after all others, what is chosen on the latest train events fits
them better.
"""

from __future__ import annotations

import numpy as np

from benchmarks.quality.event_table import EventTable, Notes
from schema import features


def hold_out_latest(
    events: EventTable, *, share: float, split: str
) -> tuple[EventTable, Notes]:
    """Makes the latest train events validation events.

    Args:
        events: the table.
        share: of the train events; those of one moment stay together.
        split: protocol of the data set.

    Returns:
        The events with their new `split`, and the first moment of validation.

    Raises:
        ValueError: if the split is no column without validation rows.
    """
    said = events.columns.get(features.SPLIT)
    if split != "column" or said is None or "validation" in said:
        raise ValueError(
            "--latest-validation is for tables whose `split` column says "
            "train and test and no validation."
        )
    time = events.numbers(features.TIMESTAMP)
    is_train = said == "train"
    first = int(np.quantile(time[is_train], 1 - share, method="higher"))
    is_late = is_train & (time >= first)
    changed = np.where(is_late, "validation", said)
    return events.with_columns(split=changed), {"validation_from": first}
