"""The items table: ids and the columns that an item's text is made of."""

from __future__ import annotations

import dataclasses

import numpy as np

from schema import features
from trainer.tables.column_values import (
    codes,
    is_blank,
    is_repeat,
    parse_floats,
)
from trainer.tables.private_text import note_private_text
from trainer.tables.review import Review

_LATEST = 2**40  # seconds; a later time is another unit


@dataclasses.dataclass(frozen=True)
class Items:
    """Items that passed every check, in the order of the file.

    Attributes:
        ids: distinct.
        columns: text columns that the table has, "" where a value is missing.
        available_from: unix seconds, 0 where unknown; empty without the
            column.
    """

    ids: list[str]
    columns: dict[str, list[str]]
    available_from: list[int] = dataclasses.field(default_factory=list)

    @property
    def times(self) -> list[int]:
        """`available_from` of every item, 0 where unknown."""
        return self.available_from or [0] * len(self.ids)


def split_categories(text: str) -> list[list[str]]:
    """Paths of category levels; empty levels and paths are left out.

    Example:
        >>> split_categories("a > b > c | d")
        [['a', 'b', 'c'], ['d']]
    """
    split_path = features.CATEGORY_LEVEL_SEPARATOR
    paths = [
        [level.strip() for level in path.split(split_path)]
        for path in text.split(features.CATEGORY_PATH_SEPARATOR)
    ]
    named = [[level for level in path if level] for path in paths]
    return [path for path in named if path]


def reject_repeated_ids(review: Review, column: str, noun: str) -> None:
    """Keeps the first row of each id.

    Args:
        review: of a table with one row per id; rows without id are out.
        column: of the ids.
        noun: item, user or scenario: part of the anomalies' names. A row that
            equals the first one is a duplicate, another one a conflict.
    """
    table = review.table
    same_id = is_repeat([codes(table.column(column))[1]])
    contents = [codes(table.column(name))[1] for name in table.columns]
    review.reject(
        f"duplicate_{noun}", column, is_repeat(contents),
        "the same row is there before; remove one of them.",
    )
    review.reject(
        f"conflicting_{noun}", column, same_id,
        "the id is there before with other content; the first row was kept, "
        "remove the wrong one.",
    )


def _check_available_from(review: Review) -> list[int]:
    """Times of the rows that are kept; empty without the column."""
    column = features.AVAILABLE_FROM
    if column not in review.table.columns:
        return []
    texts = review.table.column(column)
    seconds = parse_floats(texts)
    is_time = (seconds >= 0) & (seconds <= _LATEST)
    review.note(
        "unknown_available_from", column, ~is_time & ~is_blank(texts),
        "it is no unix time, such as 1406073600, so the item counts as always "
        "available.",
    )
    kept = np.where(is_time, seconds, 0)[review.is_kept]
    return [int(second) for second in kept]


def check_items(review: Review) -> Items:
    """Checks every row and returns the good ones."""
    review.require_id(features.ITEM_ID)
    reject_repeated_ids(review, features.ITEM_ID, "item")
    names = [
        name
        for name in features.ITEM_TEXT_COLUMNS
        if name in review.table.columns
    ]
    texts = {name: review.text(name) for name in names}
    is_silent = np.logical_and.reduce([is_blank(texts[n]) for n in names])
    review.note(
        "item_without_text", "", is_silent, "nothing but its id tells what the "
        "item is, so the model knows it from events alone; add a title.",
    )
    note_private_text(review, names)
    available_from = _check_available_from(review)
    return Items(
        review.kept(review.table.column(features.ITEM_ID)).to_pylist(),
        {name: review.kept(texts[name]).to_pylist() for name in names},
        available_from,
    )
