"""Finished runs, read from the folder that the harness writes to."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.plan import Job

_ROOT = Path(__file__).parents[2]


def result_path(out: Path, name: str) -> Path:
    """Figures of a run; written last, so that it says "finished"."""
    return out / "results" / f"{name}.json"


def ranks_path(out: Path, name: str) -> Path:
    """Ranks of a run's test targets."""
    return out / "ranks" / f"{name}.npz"


def source_mark() -> str:
    """Names the code that decides a run's figures: trainer and harness."""
    digest = hashlib.sha256()
    for folder in ("schema", "trainer", "benchmarks/quality"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@dataclasses.dataclass(frozen=True)
class Result:
    """One finished run.

    Attributes:
        job: what was run.
        content: its JSON.
        ranks_file: its arrays.
    """

    job: Job
    content: dict[str, Any]
    ranks_file: Path

    @functools.cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """[queries] arrays by name; see `measure`."""
        with np.load(self.ranks_file) as saved:
            return dict(saved)


def read(out: Path, name: str) -> Result:
    """Reads one finished run."""
    content = json.loads(result_path(out, name).read_text())
    job = Job.from_json(content["job"])
    return Result(job, content, ranks_path(out, name))


def read_all(out: Path) -> list[Result]:
    """All finished runs of a folder, by name."""
    files = sorted((out / "results").glob("[!.]*.json"))
    return [read(out, path.stem) for path in files]


def is_finished(out: Path, job: Job) -> bool:
    """Whether a job need not be run again.

    Raises:
        ValueError: if a run of its name had other settings or data.
    """
    if not result_path(out, job.name).exists():
        return False
    content = read(out, job.name).content
    source = content["job"]["source"]
    if content["settings"] != job.settings() or source != job.source:
        raise ValueError(
            f"{result_path(out, job.name)} was run on {source} with "
            f"{' '.join(content['settings'])}, and now {job.source} with "
            f"{' '.join(job.settings())} is asked for; give another --out, or "
            "remove that file to run it again."
        )
    return True
