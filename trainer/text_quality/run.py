"""Reads a catalogue, cleans and examines it, and writes what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from schema import features
from trainer.anomalies import DataError
from trainer.tables.column_values import places_in
from trainer.tables.dataset import TableRows, check_shares, read_table
from trainer.tables.files import find_files
from trainer.tables.items import Items, check_items
from trainer.tables.review import Review
from trainer.text_quality.cleaned_tables import (
    read_boilerplate,
    refuse_used_folder,
    write_tables,
)
from trainer.text_quality.cleaning import clean_columns
from trainer.text_quality.config import TextQualityConfig
from trainer.text_quality.report import Examination, Report


def _reviewed_items(
    data_dir: Path, config: TextQualityConfig
) -> tuple[Review, Items]:
    """The items table and its good rows; prints what to know about it."""
    try:
        files = find_files(features.ITEMS, data_dir, config.items)
        table, notes = read_table(features.ITEMS, files)
    except DataError as error:
        raise DataError(
            error.anomalies, "The items table cannot be read."
        ) from error
    review = Review(table)
    items = check_items(review)
    rows = TableRows(table.name, table.rows_read, review.rows_rejected)
    check_shares(
        [rows], review.anomalies, config.max_reject_share, "the lines below"
    )
    for line in (*notes, *review.anomalies):
        print(line)
    return review, items


def _other_files(
    data_dir: Path, config: TextQualityConfig
) -> dict[str, list[Path]]:
    """Table -> its files; events may be missing too, unless they are named."""
    found = {}
    for name in (features.EVENTS, features.USERS, features.SCENARIOS):
        setting = config.events if name == features.EVENTS else None
        try:
            found[name] = find_files(name, data_dir, setting)
        except DataError as error:
            if setting or error.anomalies[0].name != "missing_table":
                raise
    return found


def _event_counts(ids: Sequence[str], files: Sequence[Path]) -> np.ndarray:
    """[items] int64 events of each item; zeros without files."""
    if not files:
        return np.zeros(len(ids), np.int64)
    table, _ = read_table(features.EVENTS, files)
    places = places_in(table.column(features.ITEM_ID), ids)
    return np.bincount(places[places >= 0], minlength=len(ids))


def run(
    data_dir: Path, config: TextQualityConfig, output: Path | None = None
) -> Report:
    """Cleans and examines the items of a folder of tables.

    Args:
        data_dir: folder of the tables.
        config: the settings.
        output: folder for cleaned tables; None writes nothing.

    Raises:
        DataError: if a table cannot be read, or too many items are bad rows.
        ValueError: if the file of boilerplate is no text.
        OSError: if that cannot be read, or the output cannot be written.
    """
    if output is not None:
        refuse_used_folder(output)
    known = None
    if config.boilerplate is not None:
        known = read_boilerplate(Path(config.boilerplate))
    others = _other_files(data_dir, config)
    review, items = _reviewed_items(data_dir, config)
    cleaning = clean_columns(items.columns, config.boilerplate_share, known)
    if output is not None:
        write_tables(output, review, cleaning, others)
    counts = _event_counts(items.ids, others.get(features.EVENTS, []))
    return Examination(items, cleaning, counts, config).report()
