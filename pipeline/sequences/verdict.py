"""Whether what was built may be handed on, and what is written of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from apache_beam.io.filesystems import FileSystems

from pipeline.sequences.shards import Spans, leaks
from pipeline.sequences.summary import TableSummary, write_json
from trainer.anomalies import Anomaly, DataError, table_error
from trainer.tables.dataset import TableRows, check_shares


def write_review(found: Sequence[TableSummary], uri: str) -> None:
    """Writes `review.json`: every anomaly, and the rows of each table."""
    content = {
        "anomalies": [
            dataclasses.asdict(anomaly)
            for table in found
            for anomaly in table.anomalies
        ],
        "rows": {
            table.table: {
                "in": table.rows_read,
                "kept": table.rows_kept,
                "rejected": table.rows_rejected,
            }
            for table in found
        },
    }
    write_json(content, FileSystems.join(uri, "review.json"))


def check_rows(
    found: Sequence[TableSummary],
    rows: Mapping[str, int],
    max_share: float,
    uri: str,
) -> None:
    """Rows in are rows kept and rejected, and not too many are bad.

    Args:
        found: of each table.
        rows: that were read in, by table.
        max_share: of a table's rows that may be bad.
        uri: of the review, whose rejects the message names.

    Raises:
        DataError: lost_rows, or every anomaly.
    """
    anomalies: list[Anomaly] = [a for t in found for a in t.anomalies]
    lost = [
        table_error(
            "lost_rows", t.table,
            f"{rows[t.table]:,} rows were read in, and {t.rows_kept:,} kept + "
            f"{t.rows_rejected:,} rejected came out; run it again, and report "
            "the Beam runner if that happens twice.",
        )
        for t in found
        if t.rows_kept + t.rows_rejected != rows[t.table]
    ]
    if lost:
        raise DataError(lost)
    counts = [TableRows(t.table, t.rows_read, t.rows_rejected) for t in found]
    check_shares(
        counts, anomalies, max_share, FileSystems.join(uri, "rejects")
    )


def check_point_in_time(spans: Spans, split_name: str) -> None:
    """Nothing that was written knows the future.

    Raises:
        DataError: leaked_future_event, with what was found.
    """
    found = leaks(spans, split_name)
    if found:
        raise DataError(
            [
                table_error(
                    "leaked_future_event", "sequences",
                    f"{sentence}; a model trained on this would have seen the "
                    "future. This is a fault of the sequence builder.",
                )
                for sentence in found
            ]
        )
