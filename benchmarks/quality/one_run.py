"""One job in a process of its own: `one_run SPEC.json`, made by the harness.

Its figures go to OUT/results/NAME.json, written last, and the ranks of all
targets to OUT/ranks/NAME.npz.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality import results
from benchmarks.quality.plan import Job
from benchmarks.quality.treatments import NOTES, TFRS
from trainer.job import (
    CHECKPOINTS,
    TOWERS,
    claim_job_dir,
    fingerprint,
    write_json,
)
from trainer.prepare import prepare
from trainer.settings import parse
from trainer.tables import load_dataset


def main(spec: Path) -> None:
    """Runs the job that the file describes."""
    content = json.loads(spec.read_text())
    run_job(
        Job.from_json(content["job"]), Path(content["out"]),
        Path(content["text_cache"]), keep_jobs=content["keep_jobs"],
    )


def run_job(
    job: Job, out: Path, text_cache: Path, *, keep_jobs: bool
) -> None:
    """Trains, ranks and writes; resumes what an earlier try has left.

    Raises:
        ValueError: if the tables or settings cannot be used, or the job
            folder holds the checkpoints of another run.
    """
    started, source = time.monotonic(), results.source_mark()
    settings = parse(job.arguments(out, text_cache))
    config, job_dir = settings.config, Path(settings.job_dir)
    dataset = load_dataset(
        settings.data_dir, config.data,
        rejects_dir=job_dir / "rejects", now=int(time.time()),
        reads_text=config.text.reads_behaviour,
    )
    for line in (*dataset.notes, *dataset.anomalies):
        print(line)
    prepared = prepare(dataset, config)
    mark = fingerprint(prepared, config)
    claim_job_dir(job_dir, mark)

    # TensorFlow comes with these: bad tables are told within a second.
    import transformers

    from benchmarks.quality import measure
    from trainer.run import Run

    transformers.logging.set_verbosity_error()
    run = Run(prepared, config, job_dir)
    notes = _notes(Path(settings.data_dir))
    asked = measure.ask(run, dataset.events.user_ids, notes)
    run.fit()
    report, arrays = measure.measure(
        run, asked, has_baselines=job.has_baselines,
        both_ways=job.treatment.kind == TFRS,
    )
    _save_arrays(results.ranks_path(out, job.name), arrays)
    write_json(results.result_path(out, job.name), {
        "job": job.as_json(),
        "settings": job.settings(),
        "text_encoder": config.text.text_encoder,
        "fingerprint": mark,
        "source": source,
        **report,
        **training_report(job_dir),
        "seconds": run.clock.seconds,
        "total_seconds": round(time.monotonic() - started, 1),
    })
    if not keep_jobs:
        for name in (CHECKPOINTS, TOWERS, "text_encoder"):
            shutil.rmtree(job_dir / name, ignore_errors=True)


def _notes(data_dir: Path) -> dict[str, Any]:
    path = data_dir / NOTES
    return json.loads(path.read_text()) if path.exists() else {}


def training_report(job_dir: Path) -> dict[str, Any]:
    """What the trainer noted of its epochs, those before a kill included."""
    epochs = json.loads((job_dir / "history.json").read_text())
    before = job_dir / TOWERS / "history.json"
    of_towers = json.loads(before.read_text()) if before.exists() else []
    best = max(epochs, key=lambda epoch: epoch["validation_ndcg@10"])
    seconds = sum(epoch["seconds"] for epoch in of_towers + epochs)
    return {
        "training_seconds": round(seconds, 1),
        "epochs": epochs[-1]["epoch"],
        "best_epoch": best["epoch"],
        "history": epochs,
    }


def _save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.npz")
    np.savez_compressed(partial, **arrays)
    os.replace(partial, path)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main(Path(sys.argv[1]))
