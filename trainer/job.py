"""A run's folder: whose it is, what is written to it, what the run cost."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config import RunConfig
from trainer.prepare import Prepared

CHECKPOINTS = "checkpoints"  # folder below the job folder
RANKING_HEAD = "ranking_head"  # the same, of a head that is fitted apart
TOWERS = "towers"  # the same, of towers that are fitted before an encoder


class Clock:
    """Seconds by stage of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time of the block to a stage."""
        started = time.monotonic()
        yield
        passed = time.monotonic() - started
        self.seconds[name] = round(self.seconds.get(name, 0) + passed, 2)


def peak_memory_mb() -> float:
    """Most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fingerprint(prepared: Prepared, config: RunConfig) -> str:
    """Names what decides a run's result: settings and data."""
    settings = dataclasses.asdict(config)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    parts: list[Any] = [prepared, prepared.sequences, prepared.catalogue]
    texts = prepared.event_texts
    parts += [part for part in (texts, texts.spoken) if part]
    for part in parts:
        for field in dataclasses.fields(part):
            digest.update(field.name.encode())
            digest.update(_bytes(getattr(part, field.name)))
    return digest.hexdigest()[:16]


def _bytes(value: Any) -> bytes:
    """All that an array or a vocabulary holds; else what is printed of it."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, list):
        return "\0".join(value).encode()
    return repr(value).encode()


def claim_job_dir(job_dir: Path, mark: str) -> None:
    """Marks the folder as this run's, or finds that it is already.

    A run that failed before its first checkpoint leaves nothing to protect:
    the command may be mended and given again.

    Raises:
        ValueError: if the folder holds the checkpoints of another run.
    """
    path = job_dir / "run.json"
    has_checkpoints = any(
        (job_dir / name).exists() for name in (CHECKPOINTS, TOWERS)
    )
    if path.exists() and has_checkpoints:
        found = json.loads(path.read_text())["fingerprint"]
        if found != mark:
            raise ValueError(
                f"{job_dir} holds a run with other settings or data "
                f"({found}, now {mark}). Give another --job-dir, or --restart "
                "to forget its checkpoints; exported versions stay."
            )
        return
    forget_run(job_dir)
    job_dir.mkdir(parents=True, exist_ok=True)
    write_json(path, {"fingerprint": mark})


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(partial, path)


def forget_run(job_dir: Path) -> None:
    """Removes a run's checkpoints and marks; bundles and caches stay."""
    for name in (
        CHECKPOINTS, RANKING_HEAD, TOWERS, "tensorboard", "text_encoder"
    ):
        shutil.rmtree(job_dir / name, ignore_errors=True)
    for name in (
        "run.json", "exported.json", "metrics.json", "history.json",
        "vocabularies.json",
    ):
        (job_dir / name).unlink(missing_ok=True)
