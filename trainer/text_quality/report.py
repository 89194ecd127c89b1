"""What is known of a catalogue's text, as JSON and for a person to read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from schema import features
from trainer.catalogue import join_text, shown_titles
from trainer.tables import Items
from trainer.text_quality.cleaning import Cleaning, Finding
from trainer.text_quality.config import TextQualityConfig
from trainer.text_quality.languages import count_languages, count_scripts
from trainer.text_quality.near_duplicates import (
    Group,
    expected_recall,
    find_groups,
)
from trainer.text_quality.negatives import expect_false_negatives
from trainer.text_quality.shingles import shingle

NOTHING = "nothing"  # in place of the column that an item's text begins with

Report = dict[str, Any]


def _texts(
    columns: Mapping[str, Sequence[str]], names: Sequence[str], count: int
) -> list[str]:
    """[items] the columns joined as the trainer joins them."""
    empty = [""] * count
    chosen = [columns.get(name, empty) for name in names]
    return [join_text(row) for row in zip(*chosen, strict=True)]


def _first_columns(
    columns: Mapping[str, Sequence[str]], names: Sequence[str], count: int
) -> dict[str, int]:
    """Column -> items whose text begins with it, those before being empty."""
    found = dict.fromkeys([*names, NOTHING], 0)
    for row in range(count):
        filled = (n for n in names if n in columns and columns[n][row].strip())
        found[next(filled, NOTHING)] += 1
    return found


def _empty(columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {
        name: sum(not value.strip() for value in values)
        for name, values in columns.items()
    }


def _finding(finding: Finding, items: Items, cleaning: Cleaning) -> Report:
    before = items.columns[finding.column]
    after = cleaning.columns[finding.column]
    examples = [
        {"item_id": items.ids[row], "before": before[row], "after": after[row]}
        for row in finding.rows
    ]
    return {
        "column": finding.column, "fault": finding.fault,
        "items": finding.items, "examples": examples,
    }


def _group(group: Group, ids: Sequence[str], titles: Sequence[str]) -> Report:
    return {
        "items": [
            {"item_id": ids[row], "title": titles[row], "similarity": likeness}
            for row, likeness in zip(
                group.rows, group.similarities, strict=True
            )
        ]
    }


@dataclasses.dataclass(frozen=True)
class Examination:
    """A catalogue, before and after cleaning, with the events of each item.

    Attributes:
        items: as they were read.
        cleaning: what cleaning found and left of them.
        counts: [items] int64 events; all zero where none are known.
        config: the settings.
    """

    items: Items
    cleaning: Cleaning
    counts: np.ndarray
    config: TextQualityConfig

    def report(self) -> Report:
        """Everything that can be said, ready for JSON."""
        texts = self._texts(self.cleaning.columns)
        spoken = [text for text in texts if text]
        return {
            "items": len(texts),
            "text": self._emptiness(texts),
            "cleaning": [
                _finding(finding, self.items, self.cleaning)
                for finding in self.cleaning.findings
            ],
            "boilerplate": [
                {"sentence": sentence, "items": count}
                for sentence, count in self.cleaning.boilerplate.items()
            ],
            "scripts": count_scripts(spoken),
            "languages": count_languages(spoken, self.config.language_items),
            **self._duplicates(texts),
        }

    def _texts(self, columns: Mapping[str, Sequence[str]]) -> list[str]:
        return _texts(columns, self.config.column_names, len(self.items.ids))

    def _emptiness(self, texts: Sequence[str]) -> Report:
        before = self._texts(self.items.columns)
        names = self.config.column_names
        return {
            "without": sum(not text for text in texts),
            "emptied": sum(
                bool(old) and not new
                for old, new in zip(before, texts, strict=True)
            ),
            "begins_with": _first_columns(
                self.cleaning.columns, names, len(texts)
            ),
            "empty": _empty(self.cleaning.columns),
        }

    def _duplicates(self, texts: Sequence[str]) -> Report:
        columns = self.cleaning.columns
        titles = shown_titles(
            list(columns.get(features.TITLE, [""] * len(texts))), list(texts)
        )
        threshold = self.config.similarity
        groups = find_groups(shingle(texts), threshold)
        negatives = expect_false_negatives(
            self.counts, [group.rows for group in groups],
            self.config.batch_events,
        )
        return {
            "near_duplicates": {
                "similarity": threshold,
                "expected_recall": expected_recall(threshold),
                "items": sum(len(group.rows) for group in groups),
                "groups": [
                    _group(group, self.items.ids, titles) for group in groups
                ],
            },
            "false_negatives": dataclasses.asdict(negatives),
        }
