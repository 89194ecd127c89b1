"""Finished runs, made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.plan import Job
from benchmarks.quality.results import ranks_path, result_path
from benchmarks.quality.treatments import PLAIN, Treatment
from trainer.metrics import summarise

# Of six targets.
USERS = ["a", "b", "c", "d", "e", "f"]
ITEMS = ["p", "q", "r", "s", "t", "u"]
ITEM_EVENTS = [0, 3, 7, 60, 80, 90]
USER_EVENTS = [1, 2, 3, 4, 20, 30]


def job(
    seed: int = 0,
    *,
    variant: str = "full",
    treatment: Treatment = PLAIN,
    overrides: Sequence[str] = (),
    **fields: Any,
) -> Job:
    """A job on a set called books."""
    return Job(**{
        "data": "books",
        "source": "/sets/books",
        "split": "leave_one_out",
        "treatment": treatment,
        "preset": "base",
        "variant": variant,
        "overrides": tuple(overrides),
        "seed": seed,
        "has_baselines": True,
        **fields,
    })


def write(
    out: Path,
    job: Job,
    ranks: Mapping[str, Sequence[int]],
    *,
    cold: Sequence[bool] = (False,) * 6,
    items: Sequence[str] = tuple(ITEMS),
    **content: Any,
) -> None:
    """Writes what a run would leave.

    Args:
        out: folder of all results.
        job: what was run.
        ranks: row -> ranks of the targets of USERS.
        cold: which items were made cold.
        items: of the targets.
        content: more of its JSON.
    """
    rows = {
        name: {
            **summarise(np.array(values)),
            "coverage@10": 0.25, "gini@10": 0.5, "novelty@10": 12.5,
        }
        for name, values in ranks.items()
    }
    result = {
        "job": job.as_json(), "settings": job.settings(), "rows": rows,
        "text_encoder": "minilm", "training_seconds": 100.0,
        "peak_memory_mb": 1000.0, "total_seconds": 60.0, "source": "abc",
        **content,
    }
    for path in (result_path(out, job.name), ranks_path(out, job.name)):
        path.parent.mkdir(parents=True, exist_ok=True)
    result_path(out, job.name).write_text(json.dumps(result))
    np.savez(
        ranks_path(out, job.name),
        user_id=np.array(USERS),
        item_id=np.array(items),
        item_train_events=np.array(ITEM_EVENTS),
        user_train_events=np.array(USER_EVENTS),
        made_cold=np.array(cold),
        **{f"ranks:{name}": np.array(v) for name, v in ranks.items()},
    )


def cells(text: str, label: str, table: int = 0) -> dict[str, str]:
    """Cells of the row of a label by their column, in the n-th table."""
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in tables[table].splitlines()
    ]
    found = [line for line in lines if line[0] == label]
    assert len(found) == 1, f"{label} in {[line[0] for line in lines]}"
    return dict(zip(lines[0], found[0], strict=True))
