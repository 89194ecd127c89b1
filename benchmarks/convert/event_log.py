"""Events as columns of numbers: memory grows with events and ids, not texts.
"""

from __future__ import annotations

import collections
from array import array

import numpy as np

from benchmarks.convert.faults import FileReport
from schema import features

_TYPE_CODES = {
    features.RATING: "f",
    features.POSITION: "i",
    features.EVENT_TYPE: "b",  # place in features.EVENT_TYPES
    features.SPLIT: "b",  # place in features.SPLITS
}


class EventLog:
    """Grows row by row, and keeps count of rows that do not become events.

    Attributes:
        users, items: id -> code, by first appearance.
        rows_in: rows of the raw files, bad ones included.
        rejected: how many of them cannot be used.
        left_out: reason -> how many were left out on purpose.
    """

    def __init__(self, extra: tuple[str, ...]) -> None:
        """Makes an empty log.

        Args:
            extra: columns beside user, item and time: RATING, POSITION,
                EVENT_TYPE or SPLIT, the last two as places in their lists.
        """
        self.users: dict[str, int] = {}
        self.items: dict[str, int] = {}
        self.rows_in = 0
        self.rejected = 0
        self.left_out: collections.Counter[str] = collections.Counter()
        self._columns = {
            features.USER_ID: array("i"),
            features.ITEM_ID: array("i"),
            features.TIMESTAMP: array("q"),
            **{name: array(_TYPE_CODES[name]) for name in extra},
        }
        self._appends = [column.append for column in self._columns.values()]

    def user_code(self, user_id: str) -> int:
        """The code of a user, a new one if the id is new."""
        return self.users.setdefault(user_id, len(self.users))

    def item_code(self, item_id: str) -> int:
        """The code of an item, a new one if the id is new."""
        return self.items.setdefault(item_id, len(self.items))

    def append(self, *row: float) -> None:
        """Adds an event: codes of user and item, seconds, extra columns."""
        for append, value in zip(self._appends, row, strict=True):
            append(value)  # type: ignore[arg-type]

    def add(self, user_id: str, item_id: str, *rest: float) -> None:
        """Adds an event by ids: seconds, then the extra columns."""
        self.append(self.user_code(user_id), self.item_code(item_id), *rest)

    def count_file(self, report: FileReport) -> None:
        """Counts a file that has one row per line."""
        self.rows_in += report.lines
        self.rejected += report.rejected

    def columns(self) -> dict[str, np.ndarray]:
        """Name -> [events] numbers; ids as codes. Nothing is copied."""
        return {
            name: np.frombuffer(values, values.typecode)
            for name, values in self._columns.items()
        }
