"""Cleans the text columns of a catalogue and counts what was in the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from schema import features
from trainer.text_quality.boilerplate import (
    count_items,
    find_boilerplate,
    sentences,
    without,
)
from trainer.text_quality.clean import FAULTS, CleanText, clean

BOILERPLATE = "boilerplate"
_EXAMPLES = 3  # of a kind of fault in a column


@dataclasses.dataclass(frozen=True)
class Finding:
    """One kind of fault in one column.

    Attributes:
        column: of the items table.
        fault: of `FAULTS`, or boilerplate.
        items: how many have it.
        rows: of the first of them.
    """

    column: str
    fault: str
    items: int
    rows: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Cleaning:
    """What cleaning found and what it left.

    Attributes:
        columns: column -> [items] cleaned values.
        findings: what was found, column by column.
        boilerplate: sentence -> items that had it, the most frequent first.
    """

    columns: dict[str, list[str]]
    findings: list[Finding]
    boilerplate: dict[str, int]


def _finding(column: str, fault: str, rows: Sequence[int]) -> list[Finding]:
    first = tuple(rows[:_EXAMPLES])
    return [Finding(column, fault, len(rows), first)] if rows else []


def _clean_column(name: str, values: Sequence[str]) -> list[CleanText]:
    """Each different value is cleaned once: brands and categories repeat."""
    distinct = dict.fromkeys(values)
    cleaned = {
        value: clean(value)
        for value in tqdm(distinct, desc=f"clean {name}", unit=" texts")
    }
    return [cleaned[value] for value in values]


def _faults_in(name: str, texts: Sequence[CleanText]) -> list[Finding]:
    return [
        finding
        for fault in FAULTS
        for finding in _finding(
            name, fault,
            [row for row, text in enumerate(texts) if fault in text.faults],
        )
    ]


def clean_columns(
    columns: Mapping[str, Sequence[str]],
    share: float,
    known: Sequence[str] | None = None,
) -> Cleaning:
    """Cleans every column, and takes boilerplate out of descriptions.

    Args:
        columns: column -> [items] values.
        share: of the items with a description from which on a sentence of
            theirs is boilerplate.
        known: boilerplate to take out instead of looking for it.
    """
    result = Cleaning({}, [], {})
    for name, values in columns.items():
        texts = _clean_column(name, values)
        result.findings.extend(_faults_in(name, texts))
        result.columns[name] = [text.text for text in texts]
        if name == features.DESCRIPTION:
            _take_boilerplate_out(result, texts, share, known)
    return result


def _take_boilerplate_out(
    result: Cleaning,
    texts: Sequence[CleanText],
    share: float,
    known: Sequence[str] | None,
) -> None:
    parts = [sentences(text.lines) for text in texts]
    if known is None:
        found = find_boilerplate(parts, share)
    else:
        counts = count_items(parts)
        found = {sentence: counts[sentence] for sentence in known}
    rows = [row for row, part in enumerate(parts) if found.keys() & part]
    for row in rows:
        result.columns[features.DESCRIPTION][row] = without(parts[row], found)
    result.boilerplate.update(found)
    result.findings.extend(
        _finding(features.DESCRIPTION, BOILERPLATE, rows)
    )
