"""The events table as text columns, to be changed and written again."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from schema import features
from trainer.tables.files import find_files, read_file
from trainer.tables.raw_table import concatenate

Notes = dict[str, object]


@dataclasses.dataclass(frozen=True)
class EventTable:
    """Events in the order of the file.

    Attributes:
        columns: [events] object arrays of strings, "" where missing.
    """

    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.columns[features.USER_ID])

    @classmethod
    def read(cls, folder: Path) -> EventTable:
        """Reads it in any format of the data contract.

        Raises:
            ValueError: if it is missing or cannot be read.
        """
        files = find_files(features.EVENTS, folder, None)
        table = concatenate([read_file(f, features.EVENTS) for f in files])
        if table.malformed:
            raise ValueError(
                f"{folder}: {len(table.malformed)} rows of events do not fit "
                "its columns; mend them first."
            )
        return cls({
            name: np.array(values.to_pylist(), object)
            for name, values in table.columns.items()
        })

    def write(self, folder: Path) -> None:
        """Writes events.csv.gz; equal tables give equal bytes."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        packed = gzip.compress(text.getvalue().encode(), 6, mtime=0)
        (folder / "events.csv.gz").write_bytes(packed)

    def numbers(self, name: str) -> np.ndarray:
        """[events] int64 of a column; zeros where there is none.

        Raises:
            ValueError: if a value is no number.
        """
        if name not in self.columns:
            return np.zeros(len(self), np.int64)
        values = self.columns[name]
        try:
            return np.array([float(v or 0) for v in values]).astype(np.int64)
        except ValueError as error:
            raise ValueError(
                f"column {name} of events holds what is no number: {error}."
            ) from error

    @property
    def user(self) -> np.ndarray:
        """[events] int codes of the users."""
        ids = self.columns[features.USER_ID].astype(str)
        return np.unique(ids, return_inverse=True)[1]

    def order(self) -> np.ndarray:
        """Rows by (user, timestamp, position, place in the file)."""
        return np.lexsort((
            self.numbers(features.POSITION),
            self.numbers(features.TIMESTAMP),
            self.user,
        ))

    def with_columns(self, **columns: np.ndarray) -> EventTable:
        """The same events with columns put in; numbers become text."""
        texts = {
            name: values.astype(str).astype(object)
            for name, values in columns.items()
        }
        return EventTable({**self.columns, **texts})

    def rows(self, chosen: np.ndarray) -> EventTable:
        """Only some rows, by [events] bool or by their places."""
        return EventTable({k: v[chosen] for k, v in self.columns.items()})
