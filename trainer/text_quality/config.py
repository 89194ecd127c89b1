"""Settings of `python -m trainer.text_quality`."""

from __future__ import annotations

import dataclasses

from schema import features
from trainer.fields import check_fields, check_names, names_in, option


@dataclasses.dataclass(frozen=True)
class TextQualityConfig:
    """Which tables are read, and from where on something is reported."""

    items: str | None = option(
        None, "file or glob of the items table; default: DATA_DIR/items.*"
    )
    events: str | None = option(
        None, "file or glob of the events table, which tells how often an "
        "item is drawn; default: DATA_DIR/events.*, or, without such a file, "
        "every item alike"
    )
    max_reject_share: float = option(
        0.01, "share of the items' rows that may be set aside as bad before "
        "the command stops", low=0.0, high=1.0,
    )
    text_columns: str = option(
        "title,brand,categories,description,keywords", "item columns that "
        "are joined, in this order, into the text of an item; as in "
        "trainer.task"
    )
    boilerplate_share: float = option(
        0.05, "share of the items with a description that must share a "
        "sentence, word for word, for it to be boilerplate; never fewer than "
        "5 items", low=0.001, high=1.0,
    )
    boilerplate: str | None = option(
        None, "file of boilerplate, one sentence in a line, as an earlier "
        "--output has it; it is taken out and no other is looked for, so that "
        "new items are cleaned as the trained ones were"
    )
    similarity: float = option(
        0.8, "Jaccard similarity of the pairs of words from which on two "
        "items are near-duplicates", low=0.5, high=1.0,
    )
    batch_events: int = option(
        1024, "events of a training step, for the count of false negatives: "
        "batch_size of trainer.task times the mean length of a history",
        low=2,
    )
    language_items: int = option(
        20_000, "items at most whose language is told, drawn at random",
        low=1,
    )

    def __post_init__(self) -> None:
        check_fields(self)
        check_names(
            "text_columns", self.column_names, features.ITEM_TEXT_COLUMNS
        )
        if not self.column_names:
            raise ValueError("text_columns is empty; name a column.")

    @property
    def column_names(self) -> list[str]:
        """The names in `text_columns`."""
        return names_in(self.text_columns)
