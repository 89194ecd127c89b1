"""Seconds to one validation figure: this trainer and a TFRS model.

    python -m benchmarks.time_to_quality --data-dir DATA/ml-100k \\
        --split leave_one_out --item-parts id

Takes the flags of `trainer.task` too. Both systems train on the same events
and are validated by the same code after each epoch; the goal is what our run
ends with, unless `--goal` says otherwise.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.settings import parse

if TYPE_CHECKING:
    from trainer.settings import Settings


def make_parser() -> argparse.ArgumentParser:
    """The flags that `trainer.task` does not have."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.time_to_quality",
        description="Seconds to one validation NDCG@10: this trainer and a "
        "TFRS model. Every flag of trainer.task is taken too.",
        epilog="Example: python -m benchmarks.time_to_quality --data-dir "
        "DATA/ml-100k --split leave_one_out",
        allow_abbrev=False,
    )
    parser.add_argument("--data-dir", required=True, help="the tables")
    parser.add_argument(
        "--goal", type=float,
        help="validation NDCG@10 to be reached (the best of our own run)",
    )
    parser.add_argument(
        "--limit-s", type=float,
        help="seconds that a TFRS model may take (five times our own run)",
    )
    parser.add_argument(
        "--tfrs-batch", type=int, default=512,
        help="examples per step of a TFRS model (%(default)s)",
    )
    parser.add_argument(
        "--context", type=int, default=10,
        help="events that a TFRS model reads (%(default)s, as its tutorial)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command. Returns the exit code: 0, or 1 with a message."""
    asked, others = make_parser().parse_known_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        settings = parse(
            ["--data-dir", asked.data_dir, "--job-dir", folder, *others]
        )
        try:
            execute(asked, settings)
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


def execute(asked: argparse.Namespace, settings: Settings) -> None:
    """Runs our trainer, then each TFRS model, and prints the table."""
    from benchmarks.reading import read
    from benchmarks.time_to_quality.race import (
        RIVALS,
        RivalRun,
        run_ours,
        table,
    )

    config = settings.config
    prepared = read(settings.data_dir, config)
    courses = [run_ours(prepared, config, Path(settings.job_dir))]
    goal = courses[0].best if asked.goal is None else asked.goal
    limit_s = asked.limit_s or 5 * courses[0].seconds
    rivals = RivalRun(
        prepared, config, batch_size=asked.tfrs_batch, context=asked.context
    )
    for rival in RIVALS:
        courses.append(rivals.run(rival, goal, limit_s))
    print(table(courses, goal))


if __name__ == "__main__":
    sys.exit(main())
