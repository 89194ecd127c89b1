"""Reads the tables of the data contract and checks every row.

What is wrong becomes a named anomaly. Bad rows are set aside in a rejects
file and counted, up to a stated share; above it the run stops. Nothing is
dropped silently.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from schema import features
from trainer.anomalies import Anomaly, DataError, table_error
from trainer.config import DataConfig
from trainer.tables.columns import column_errors, unused_columns
from trainer.tables.events import Events, check_events
from trainer.tables.files import find_files, read_file
from trainer.tables.items import Items, check_items
from trainer.tables.raw_table import RawTable, concatenate
from trainer.tables.review import Review
from trainer.tables.users import Users, check_scenarios, check_users

_READ_COLUMNS = {
    features.EVENTS: tuple(
        name
        for name in features.COLUMNS[features.EVENTS]
        if name != features.TEXT
    ),
    features.ITEMS: (
        features.ITEM_ID, *features.ITEM_TEXT_COLUMNS, features.AVAILABLE_FROM
    ),
    features.SCENARIOS: features.COLUMNS[features.SCENARIOS],
}


@dataclasses.dataclass(frozen=True)
class Dataset:
    """The rows of all tables that passed every check.

    Attributes:
        events, items, users: users are empty where there is no such table.
        scenarios: name -> description.
        anomalies: what was found, rejects and notes.
        notes: what else a person should know, such as ignored columns.
    """

    events: Events
    items: Items
    users: Users
    scenarios: dict[str, str]
    anomalies: list[Anomaly]
    notes: list[str]


@dataclasses.dataclass(frozen=True)
class TableRows:
    """How many rows of a table were read, and how many of them were bad."""

    table: str
    read: int
    rejected: int

    @property
    def rejected_share(self) -> float:
        """Of all rows read; 0 for a table without rows."""
        return self.rejected / max(self.read, 1)


def read_table(
    name: str, files: Sequence[Path], *, reads_text: bool = False
) -> tuple[RawTable, list[str]]:
    """A table, nothing judged yet, and notes on its columns.

    Args:
        name: of the table.
        files: of it, one at least.
        reads_text: whether the events' own texts are wanted.

    Raises:
        DataError: if a column is missing, a required table has no rows, or a
            file cannot be read.
    """
    parts = [read_file(path, name) for path in files]
    found = [list(part.columns) for part in parts]
    errors = [
        error
        for path, columns in zip(files, found, strict=True)
        for error in column_errors(name, columns, path)
    ]
    if errors:
        raise DataError(errors)
    table = concatenate(parts)
    if not table.rows_read and name in features.REQUIRED_TABLES:
        remedy = f"{files[0]} has column names and no rows; add rows."
        raise DataError([table_error("empty_table", name, remedy)])
    notes = []
    if name in _READ_COLUMNS:
        read = _READ_COLUMNS[name]
        if name == features.EVENTS and reads_text:
            read = (*read, features.TEXT)
        notes = unused_columns(name, list(table.columns), read)
    if any(set(columns) != set(found[0]) for columns in found):
        notes.append(f"{name}: not all of its files have the same columns.")
    return table, notes


def _read_tables(
    data_dir: Path, config: DataConfig, reads_text: bool
) -> tuple[dict[str, Review], list[str]]:
    """All tables that are there; the faults of all of them in one error."""
    reviews: dict[str, Review] = {}
    notes: list[str] = []
    errors: list[Anomaly] = []
    for name in features.COLUMNS:
        try:
            files = find_files(name, data_dir, getattr(config, name))
            if not files:
                continue
            table, new_notes = read_table(name, files, reads_text=reads_text)
        except DataError as error:
            errors += error.anomalies
            continue
        notes += new_notes
        reviews[name] = Review(table)
    if errors:
        raise DataError(errors, "The tables cannot be read.")
    return reviews, notes


def check_shares(
    rows: Sequence[TableRows],
    anomalies: Sequence[Anomaly],
    max_share: float,
    rejects: str,
) -> None:
    """Stops the run where a table has too many bad rows, or no good one.

    Args:
        rows: of each table.
        anomalies: of all tables, for the message.
        max_share: of a table's rows that may be bad.
        rejects: where the bad rows are.

    Raises:
        DataError: with the counts and every anomaly.
    """
    bad = [
        r
        for r in rows
        if r.rejected_share > max_share
        or (r.table in features.REQUIRED_TABLES and r.rejected == r.read)
    ]
    if not bad:
        return
    counts = "; ".join(
        f"{r.rejected:,} of the {r.read:,} rows of {r.table} "
        f"({r.rejected_share:.2%}) are bad"
        for r in bad
    )
    raise DataError(
        anomalies,
        f"{counts}, and max_reject_share is {max_share:.2%}. They are listed "
        f"in {rejects}; mend them, or raise --max-reject-share.",
    )


def load_dataset(
    data_dir: str,
    config: DataConfig,
    *,
    rejects_dir: Path,
    now: int,
    reads_text: bool = False,
) -> Dataset:
    """Reads and checks every table.

    Args:
        data_dir: folder of the tables.
        config: files of each table, and the share of bad rows to tolerate.
        rejects_dir: gets TABLE.csv for each table with bad rows; made when
            there are any.
        now: unix seconds; later events are bad rows.
        reads_text: whether the events' own texts are wanted.

    Raises:
        DataError: if a table or column is missing or cannot be read, or if
            more than `config.max_reject_share` of a table's rows are bad; it
            lists every anomaly. The rejects are written before.
        OSError: if the rejects cannot be written.
    """
    reviews, notes = _read_tables(Path(data_dir), config, reads_text)
    items = check_items(reviews[features.ITEMS])
    users, scenarios = Users([], []), dict[str, str]()
    if features.USERS in reviews:
        users = check_users(reviews[features.USERS])
    if features.SCENARIOS in reviews:
        scenarios = check_scenarios(reviews[features.SCENARIOS])
    events = check_events(
        reviews[features.EVENTS], items.ids, now, reads_text=reads_text
    )
    for review in reviews.values():
        review.write_rejects(rejects_dir)
    anomalies = [a for review in reviews.values() for a in review.anomalies]
    check_shares(
        [
            TableRows(name, review.table.rows_read, review.rows_rejected)
            for name, review in reviews.items()
        ],
        anomalies,
        config.max_reject_share,
        str(rejects_dir),
    )
    return Dataset(events, items, users, scenarios, anomalies, notes)
