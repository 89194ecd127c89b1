"""What is wrong with a table: a name, where, how often and what to do."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from typing import Literal

FIRST_ROWS = 5  # row numbers that an anomaly names

# error: nothing of the table can be read; reject: rows were set aside; note:
# the rows are used, and someone may want to know.
Severity = Literal["error", "reject", "note"]


@dataclasses.dataclass(frozen=True)
class Anomaly:
    """One kind of fault in one column of one table.

    Attributes:
        name: of the fault, such as `unknown_item`.
        table: name of the table.
        column: name of the column, "" for whole rows and whole tables.
        rows: how many rows have it; 0 for a fault of the whole table.
        first_rows: numbers of the first of them. The first data row is 1;
            blank lines do not count, and the rows of several files do on.
        remedy: what to do about it.
        severity: error, reject or note.
    """

    name: str
    table: str
    column: str
    rows: int
    first_rows: tuple[int, ...]
    remedy: str
    severity: Severity = "reject"

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        line = f"{self.severity}: {place}: {self.name}"
        if self.rows:
            line += f" in {self.rows:,} row{'s' if self.rows > 1 else ''}"
        if self.first_rows:
            more = ", ..." if self.rows > len(self.first_rows) else ""
            line += f" ({', '.join(map(str, self.first_rows))}{more})"
        return f"{line}: {self.remedy}"


def table_error(
    name: str, table: str, remedy: str, *, column: str = ""
) -> Anomaly:
    """A fault that makes the whole table unreadable."""
    return Anomaly(name, table, column, 0, (), remedy, "error")


class DataError(ValueError):
    """The tables cannot be used; `anomalies` says why, one by one."""

    def __init__(self, anomalies: Iterable[Anomaly], summary: str = "") -> None:
        self.anomalies = tuple(anomalies)
        lines = [summary] if summary else []
        super().__init__("\n".join([*lines, *map(str, self.anomalies)]))


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name most like this one, whatever its case; None if none is.

    Example:
        >>> nearest("itemId", ["user_id", "item_id"])
        'item_id'
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, 1, cutoff=0.6)
    return by_lower[close[0]] if close else None
