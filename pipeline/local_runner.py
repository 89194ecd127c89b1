"""Runs the whole pipeline on this machine: raw tables to a pushed bundle.

`python -m pipeline.local_runner --help`. The same command again serves what
has not changed from the cache, and goes on after a step that failed.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.command_line import make_parser, read_config

_EXAMPLES = """\
  python -m pipeline.local_runner --data-dir logs --pipeline-root runs/pipe
  python -m pipeline.local_runner --data-dir logs --pipeline-root runs/pipe \\
      --split leave_one_out --preset smoke
  python -m pipeline.local_runner --data-dir logs --pipeline-root runs/pipe \\
      --events 'events/span-{SPAN}/*.csv' --window-spans 7
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one pipeline. Returns 0, or 1 where a step failed."""
    parser = make_parser(
        "pipeline.local_runner",
        "Runs the TFX pipeline on this machine.",
        _EXAMPLES,
    )
    arguments = sys.argv[1:] if argv is None else argv
    _, config = read_config(parser, arguments)
    root = Path(config.pipeline_root).resolve()
    config = dataclasses.replace(
        config,
        data_dir=str(Path(config.data_dir).resolve()),
        pipeline_root=str(root),
        serving_dir=str(Path(config.serving_dir).resolve()),
        work_dir=str(root / "work"),
    )
    # Before TensorFlow is imported: Keras 2, and no chatter.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    from pipeline.local_run import LocalRun, StepFailedError

    try:
        run = LocalRun(config)
        run.execute()
    except StepFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(run.verdict())
    print(
        f"report: python -m pipeline.report --pipeline-root {root}\n"
        "serve with: python -m serving.server --port 8500 --model_name "
        f"{config.run.export.model_name} --model_base_path "
        f"{config.serving_dir}/{config.run.export.model_name}"
    )
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main())
