"""SASRec on the trainer's data and evaluation.

    python -m benchmarks.sasrec --data-dir DATA/amazon-beauty \\
        --split leave_one_out --seed 0 --job-dir JOB

Windows, batches, evaluation and the keys of `JOB/metrics.json` are the
trainer's own, so that its figures can be set beside these. A run that was
stopped begins anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args, get_type_hints

from benchmarks.sasrec.config import SasRecConfig
from trainer.config import DataConfig, RunConfig, SplitName, TrainingConfig


def make_parser() -> argparse.ArgumentParser:
    """Flags of the command, one for each field of `SasRecConfig`."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sasrec",
        description="SASRec on the trainer's data and evaluation.",
        epilog="Example: python -m benchmarks.sasrec --data-dir "
        "DATA/amazon-beauty --split leave_one_out --job-dir JOB",
    )
    parser.add_argument(
        "--data-dir", required=True, help="folder of the tables"
    )
    parser.add_argument(
        "--job-dir", required=True, type=Path, help="where metrics.json goes"
    )
    parser.add_argument(
        "--split", default="time", choices=get_args(SplitName),
        help="which events are held out, as trainer.task --help says",
    )
    kinds = get_type_hints(SasRecConfig)
    for field in dataclasses.fields(SasRecConfig):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=kinds[field.name],
            default=field.default,
            help=field.metadata["help"] + " (%(default)s)",
        )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 0, or 1 with a message."""
    asked = vars(make_parser().parse_args(argv))
    data_dir, job_dir = asked.pop("data_dir"), asked.pop("job_dir")
    split = asked.pop("split")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        config = SasRecConfig(**asked)
        execute(data_dir, split, config, job_dir)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def execute(
    data_dir: str, split: SplitName, config: SasRecConfig, job_dir: Path
) -> None:
    """Reads the tables, trains, evaluates and reports."""
    from benchmarks.reading import read
    from trainer.report import summary

    prepared = read(
        data_dir,
        RunConfig(
            data=DataConfig(split=split),
            training=TrainingConfig(seed=config.seed),
        ),
    )
    from benchmarks.sasrec.run import SasRecRun

    print(summary(SasRecRun(prepared, config).execute(job_dir)))
    print(f"metrics: {job_dir / 'metrics.json'}")


if __name__ == "__main__":
    sys.exit(main())
