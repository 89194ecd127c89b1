"""The report for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.text_quality.report import NOTHING, Report

_COLUMNS = 60  # of a text that is shown
_NAMED = 7  # languages or scripts
_SHOWN = 5  # groups and sentences; the others are in the JSON file


def _count(part: int, whole: int) -> str:
    return f"{part:,} ({part / max(whole, 1):.1%})"


def _cut(text: str) -> str:
    return text if len(text) <= _COLUMNS else f"{text[: _COLUMNS - 3]}..."


def _shares(counts: Mapping[str, int]) -> str:
    """The most frequent names with their shares, and the rest as one."""
    whole = sum(counts.values())
    first = dict(list(counts.items())[:_NAMED])
    rest = whole - sum(first.values())
    if rest:
        first["others"] = rest
    return ", ".join(f"{n} {_count(c, whole)}" for n, c in first.items())


def _more(entries: Sequence[Any], noun: str) -> Iterator[str]:
    if len(entries) > _SHOWN:
        yield f"  and {len(entries) - _SHOWN:,} {noun} more, see --report"


def _text_lines(report: Report) -> Iterator[str]:
    text, whole = report["text"], report["items"]
    begins = {n: c for n, c in text["begins_with"].items() if c}
    without = begins.pop(NOTHING, 0)
    yield f"text: {_count(whole - without, whole)} of {whole:,} items have some"
    yield f"  it begins with: {_shares(begins)}"
    if without:
        yield f"  without any: {_count(without, whole)}; only events tell them"
    if text["emptied"]:
        yield f"  emptied by cleaning: {_count(text['emptied'], whole)}"
    empty = {n: c for n, c in text["empty"].items() if c}
    if empty:
        each = ", ".join(f"{n} {_count(c, whole)}" for n, c in empty.items())
        yield f"  empty: {each}"


def _cleaning_lines(report: Report) -> Iterator[str]:
    yield "to clean:" if report["cleaning"] else "to clean: nothing"
    for found in report["cleaning"]:
        count = _count(found["items"], report["items"])
        yield f"  {found['column']}: {found['fault']} in {count}"
        example = found["examples"][0]
        yield f"    {example['item_id']}  {_cut(repr(example['before']))}"
        yield f"    becomes  {_cut(repr(example['after']))}"
    for entry in report["boilerplate"][:_SHOWN]:
        count = _count(entry["items"], report["items"])
        yield f"  boilerplate in {count}: {_cut(entry['sentence'])}"
    yield from _more(report["boilerplate"], "sentences")


def _duplicate_lines(report: Report) -> Iterator[str]:
    found = report["near_duplicates"]
    groups = found["groups"]
    yield (
        f"near-duplicates (Jaccard {found['similarity']} or more): "
        f"{_count(found['items'], report['items'])} items in {len(groups):,} "
        "groups"
    )
    for group in groups[:_SHOWN]:
        yield f"  {len(group['items'])} items"
        for item in group["items"][:_SHOWN]:
            yield (
                f"    {item['similarity']:.2f}  {item['item_id']}  "
                f"{_cut(item['title'])}"
            )
    yield from _more(groups, "groups")


def _negative_lines(report: Report) -> Iterator[str]:
    found = report["false_negatives"]
    yield "near-duplicates among the negatives of a choice:"
    yield (
        f"  batch of {found['batch_events']:,} events: {found['in_batch']:.2g},"
        f" {found['in_batch_share']:.2g} of the negatives; "
        f"{found['choices_hit']:.2%} of choices have one"
    )
    yield (
        f"  full softmax: {found['full_softmax']:.2g}, "
        f"{found['full_softmax_share']:.2g} of the negatives"
    )


def summary(report: Report) -> str:
    """The report in a screenful; groups and examples are the first ones."""
    return "\n".join([
        *_text_lines(report),
        f"scripts: {_shares(report['scripts'])}",
        f"languages: {_shares(report['languages'])}",
        *_cleaning_lines(report),
        *_duplicate_lines(report),
        *_negative_lines(report),
    ])
