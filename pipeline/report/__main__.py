"""The command line: `python -m pipeline.report --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the page of a run. Returns 0, or 1 with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.report",
        description="Writes one static HTML page about a run of the pipeline.",
    )
    parser.add_argument(
        "--pipeline-root", required=True, type=Path, metavar="DIR",
        help="folder of the pipeline's artifacts and metadata.sqlite",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("report.html"), metavar="FILE",
        help="the page (default report.html)",
    )
    parser.add_argument(
        "--run", default="", metavar="ID",
        help="id of the run (default: the newest)",
    )
    arguments = parser.parse_args(argv)

    from pipeline.report.metadata import read_run
    from pipeline.report.page import render

    try:
        page = render(read_run(arguments.pipeline_root, arguments.run))
        arguments.output.write_text(page, encoding="utf-8")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
