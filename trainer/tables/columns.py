"""Compares the columns of a file with those of the data contract."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from schema import features
from trainer.anomalies import Anomaly, nearest, table_error


def _missing(
    table: str, name: str, found: Sequence[str], path: Path
) -> Anomaly:
    close = nearest(name, found)
    if close:
        remedy = f"{path} has no such column; is it {close!r}? Rename it."
    else:
        shown = ", ".join(repr(column[:80]) for column in found[:20])
        remedy = f"{path} has no such column, only {shown}."
    if len(found) == 1 and any(mark in found[0] for mark in ";\t|"):
        remedy += " Fields must be separated by commas."
    return table_error("missing_column", table, remedy, column=name)


def column_errors(
    table: str, found: Sequence[str], path: Path
) -> list[Anomaly]:
    """missing_column for each required column that a file lacks."""
    errors = [
        _missing(table, name, found, path)
        for name in features.REQUIRED_COLUMNS[table]
        if name not in found
    ]
    content = features.CONTENT_COLUMNS
    if table == features.ITEMS and not set(content) & set(found):
        anomaly = _missing(table, content[0], found, path)
        remedy = f"{anomaly.remedy} One of {', '.join(content)} must be there."
        errors.append(
            table_error("missing_column", table, remedy, column=content[0])
        )
    return errors


def unused_columns(
    table: str, found: Sequence[str], used: Sequence[str]
) -> list[str]:
    """One sentence on columns that are unknown, one on those not yet read."""
    known = features.COLUMNS[table]
    unknown = []
    for name in found:
        if name not in known:
            close = nearest(name, [c for c in known if c not in found])
            hint = f" (did you mean {close!r}?)" if close else ""
            unknown.append(f"{name!r}{hint}")
    unread = [name for name in found if name in known and name not in used]
    notes = []
    if unknown:
        notes.append(
            f"{table}: ignored columns that the data contract does not know: "
            f"{', '.join(unknown)}."
        )
    if unread:
        notes.append(
            f"{table}: columns that the model does not read: "
            f"{', '.join(unread)}."
        )
    return notes
