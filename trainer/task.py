"""The command line: `python -m trainer.task --help`.

Only translates: arguments to a configuration, tables to arrays, errors to one
line. TensorFlow is imported once there is work for it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trainer.settings import Settings, parse, to_yaml


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code: 0, or 1 with a message."""
    # TensorFlow's own chatter; what goes wrong is raised and printed below.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments = sys.argv[1:] if argv is None else argv
    settings = parse(arguments)
    if settings.print_config:
        print(to_yaml(settings.config), end="")
        return 0
    try:
        execute(settings)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def execute(settings: Settings) -> None:
    """Reads the tables, then trains, evaluates, exports and reports."""
    from trainer.job import claim_job_dir, fingerprint, forget_run
    from trainer.prepare import prepare
    from trainer.tables import load_dataset

    job_dir = Path(settings.job_dir)
    dataset = load_dataset(
        settings.data_dir,
        settings.config.data,
        rejects_dir=job_dir / "rejects",
        now=int(time.time()),
        reads_text=settings.config.text.reads_behaviour,
    )
    for line in (*dataset.notes, *dataset.anomalies):
        print(line)
    prepared = prepare(dataset, settings.config)
    print(
        f"{len(prepared.sequences.item)} events of "
        f"{prepared.sequences.num_users} users, {len(prepared.catalogue)} items"
    )
    if settings.restart:
        forget_run(job_dir)
    claim_job_dir(job_dir, fingerprint(prepared, settings.config))

    import transformers

    from trainer.report import summary
    from trainer.run import Run

    transformers.logging.set_verbosity_error()

    metrics = Run(prepared, settings.config, job_dir).execute()
    print(summary(metrics))
    print(f"metrics: {job_dir / 'metrics.json'}")
    print(
        "serve with: python -m serving.server --port 8500 --model_name "
        f"{settings.config.export.model_name} --model_base_path "
        f"{job_dir.resolve() / 'export' / settings.config.export.model_name}"
    )


if __name__ == "__main__":
    # In a file or a pipe too, lines appear when they are printed.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main())
