"""Which rows of a file of items or users go into the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from benchmarks.convert.source import Row


class Selection:
    """The first row of each id that is wanted; counts the others.

    Attributes:
        is_found: [ids] bool, by code.
        repeated: rows of an id that is there before.
        unwanted: rows of ids that are not wanted.
    """

    def __init__(
        self, id_column: str, codes: Mapping[str, int], is_wanted: np.ndarray
    ) -> None:
        """Selects by code.

        Args:
            id_column: of the rows.
            codes: id -> code, codes in order from 0.
            is_wanted: [ids] bool.
        """
        self._id_column, self._codes = id_column, codes
        self._is_wanted = is_wanted
        self.is_found = np.zeros(len(is_wanted), bool)
        self.repeated = self.unwanted = 0

    @property
    def num_wanted(self) -> int:
        """Ids that are wanted."""
        return int(self._is_wanted.sum())

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows to write, in their order."""
        for row in rows:
            code = self._codes.get(row[self._id_column], -1)
            if code < 0 or not self._is_wanted[code]:
                self.unwanted += 1
            elif self.is_found[code]:
                self.repeated += 1
            else:
                self.is_found[code] = True
                yield row

    def missing(self) -> list[str]:
        """Ids that are wanted and had no row."""
        is_missing = (self._is_wanted & ~self.is_found).tolist()
        return [
            name
            for name, is_one in zip(self._codes, is_missing, strict=True)
            if is_one
        ]
