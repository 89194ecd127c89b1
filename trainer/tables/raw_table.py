"""A table as it was read: every value as text, nothing judged yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa


@dataclasses.dataclass(frozen=True)
class RawTable:
    """Rows of one file, or of several one after the other.

    Attributes:
        name: of the table.
        columns: column -> [rows] strings, "" where missing.
        row_numbers: [rows] int64, the place of each row in the files from 1.
        malformed: number and text of each row that does not fit the columns.
        damaged: column -> [rows] bool, where bytes that are no UTF-8 stood.
    """

    name: str
    columns: dict[str, pa.Array]
    row_numbers: np.ndarray
    malformed: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    damaged: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row_numbers)

    @property
    def rows_read(self) -> int:
        """All rows of the files, malformed ones included."""
        return len(self) + len(self.malformed)

    def column(self, name: str) -> pa.Array:
        """[rows] strings; "" throughout if there is no such column."""
        found = self.columns.get(name)
        return empty_texts(len(self)) if found is None else found


def empty_texts(count: int) -> pa.Array:
    """[count] empty strings."""
    return pa.repeat("", count)


def joined(chunks: pa.ChunkedArray) -> pa.Array:
    """The chunks of a column as one array."""
    if chunks.num_chunks == 1:
        return chunks.chunk(0)
    empty = pa.array([], chunks.type)
    return pa.concat_arrays([empty, *chunks.chunks])


def renumbered(part: RawTable, offset: int) -> RawTable:
    """The same rows after `offset` others."""
    return dataclasses.replace(
        part,
        row_numbers=part.row_numbers + offset,
        malformed=[(number + offset, text) for number, text in part.malformed],
    )


def _damage(parts: Sequence[RawTable], name: str) -> np.ndarray:
    return np.concatenate([
        part.damaged.get(name, np.zeros(len(part), bool)) for part in parts
    ])


def stacked(parts: Sequence[RawTable]) -> RawTable:
    """Parts of one table by their numbers; what a part lacks is empty."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    damaged = dict.fromkeys(name for part in parts for name in part.damaged)
    return RawTable(
        parts[0].name,
        {
            name: pa.concat_arrays([part.column(name) for part in parts])
            for name in names
        },
        np.concatenate([part.row_numbers for part in parts]),
        [row for part in parts for row in part.malformed],
        {name: _damage(parts, name) for name in damaged},
    )


def concatenate(parts: Sequence[RawTable]) -> RawTable:
    """Parts of one table, one after the other, each numbered from 1."""
    offsets = np.cumsum([0, *(part.rows_read for part in parts)]).tolist()
    return stacked([
        renumbered(part, offset)
        for part, offset in zip(parts, offsets, strict=False)
    ])
