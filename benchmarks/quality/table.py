"""The Markdown report of all finished runs of a folder."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from benchmarks.quality import cold_table, slices, treatments
from benchmarks.quality.cells import (
    NOTHING,
    estimate_cell,
    number,
    table,
)
from benchmarks.quality.ladder import LADDER, TFRS_TUTORIAL
from benchmarks.quality.results import Result
from benchmarks.quality.rows import Choice, Metric, Row, rows_of, sections
from trainer.metrics import ndcg, recall

_HEADER = (
    "", "seeds", "recall@10", "ndcg@10", "recall@5", "ndcg@5", "recall@100",
    "mrr@10", "coverage@10", "gini@10", "novelty@10", "train s", "memory MB",
)
_MEANS = (
    "recall@5", "ndcg@5", "recall@100", "mrr@10", "coverage@10", "gini@10",
    "novelty@10",
)
_TOP = (1, 5, 10, 50, 100)  # of TFRS's tutorial
_NOTE = (
    "Cells are mean ± sample standard deviation over seeds [95 % bootstrap "
    "interval of the mean over users]. Every target is ranked among the whole "
    "catalogue, ties against the model."
)
_recall10: Metric = functools.partial(recall, k=10)
_ndcg10: Metric = functools.partial(ndcg, k=10)


def report(results: Sequence[Result]) -> str:
    """All tables, one section per data set and treatment.

    Args:
        results: finished runs.

    Raises:
        ValueError: if there are none.
    """
    if not results:
        raise ValueError(
            "there is no finished run to make a table of; run without "
            "--table first, or mend --out."
        )
    grouped = sections(results)
    parts = [_NOTE, *_source_note(results)]
    for (data, treatment), runs in grouped.items():
        queries = runs[0].content["rows"]["model"]["queries"]
        split = runs[0].job.treatment.split or runs[0].job.split
        what = ", ".join(filter(None, [split, treatment]))
        parts.append(f"### {data} ({what}; {queries} test targets)")
        kind = runs[0].job.treatment.kind
        if kind == treatments.TFRS:
            parts.append(tfrs_table(data, rows_of(runs)))
            continue
        is_published = not kind and split == "leave_one_out"
        parts.append(main_table(data if is_published else "", rows_of(runs)))
        parts.append(slice_table(rows_of(runs)))
        if kind == treatments.COLD_ITEMS:
            plain = grouped.get((data, ""), [])
            parts.append(cold_table.cold_table(data, runs, plain))
    return "\n\n".join(parts) + "\n"


def _source_note(results: Sequence[Result]) -> list[str]:
    """A warning where code was changed between the runs."""
    marks = {result.content.get("source", "unnamed") for result in results}
    if len(marks) == 1:
        return []
    return [
        f"These runs are of {len(marks)} states of the source code "
        f"({', '.join(sorted(marks))}; `source` in their JSON)."
    ]


def main_table(data: str, rows: Sequence[Row]) -> str:
    """Every metric of every row, under the published ladder.

    Args:
        data: whose ladder to show; "" for none.
        rows: of one section.
    """
    lines = []
    for one in LADDER.get(data, []):
        figures = [number(one.recall), number(one.ndcg)]
        blanks = [NOTHING] * (len(_HEADER) - 4)
        name = f"{one.name} [{one.source}]"
        lines.append([name, NOTHING, *figures, *blanks])
    for row in rows:
        costs = [NOTHING, NOTHING]
        if row.is_model:
            costs = [
                f"{row.cost(name):.0f}"
                for name in ("training_seconds", "peak_memory_mb")
            ]
        lines.append([
            row.label,
            str(len(row.runs)),
            estimate_cell(row.estimate(_recall10)),
            estimate_cell(row.estimate(_ndcg10)),
            *(number(row.mean(name)) for name in _MEANS),
            *costs,
        ])
    return table(_HEADER, lines)


def slice_table(rows: Sequence[Row]) -> str:
    """Recall@10 / NDCG@10 by train events of the target's item and user."""
    header = ["recall@10 / ndcg@10"]
    choices: list[Choice] = []
    for name in slices.NAMES:
        choice = functools.partial(_in_slice, name=name)
        sizes = [choice(run).sum() for run in rows[0].runs]
        if any(sizes):
            header.append(f"{name}: {np.mean(sizes):.0f}")
            choices.append(choice)
    lines = []
    for row in rows:
        cells = [
            f"{number(row.average(_recall10, choice))} / "
            f"{number(row.average(_ndcg10, choice))}"
            for choice in choices
        ]
        lines.append([row.label, *cells])
    return table(header, lines)


def _in_slice(run: Result, name: str) -> np.ndarray:
    return slices.chosen(run.arrays, name)


def tfrs_table(data: str, rows: Sequence[Row]) -> str:
    """Top-k accuracy, seen items left in and removed."""
    lines = []
    published = TFRS_TUTORIAL.get(data)
    if published:
        lines.append([
            "TFRS's basic retrieval tutorial, as published", NOTHING,
            *(number(published.get(k)) for k in _TOP),
        ])
    for row in rows:
        cells = [
            estimate_cell(row.estimate(functools.partial(recall, k=k)))
            for k in _TOP
        ]
        lines.append([row.label, str(len(row.runs)), *cells])
    return table(["", "seeds", *(f"top-{k}" for k in _TOP)], lines)
