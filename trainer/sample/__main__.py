"""Sample logs with planted truth, for the demo and the tests.

Everything that a recommender could learn from the logs is planted and written
down in truth.json: the topic of each item, long- and short-term interests,
what each scenario favours, which topic follows which, who and what is cold,
and which rows are bad. A test can so ask whether a model has found it.

Example:
    python -m trainer.sample runs/sample --users 2000 --items 500 --seed 0
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args, get_type_hints

from trainer.sample.config import SampleConfig
from trainer.sample.files import FORMATS, write_tables
from trainer.sample.logs import generate

_EXAMPLES = """examples:
  python -m trainer.sample runs/sample
  python -m trainer.sample runs/zh --language zh --scenarios 1 --seed 7
  python -m trainer.sample runs/bad --bad-rows 0.005 --format parquet
"""


def _parser() -> argparse.ArgumentParser:
    """One flag per field of `SampleConfig`, with its range and default."""
    parser = argparse.ArgumentParser(
        prog="python -m trainer.sample",
        description="Writes sample logs with planted truth.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out_dir", type=Path, help="folder, made if missing")
    hints = get_type_hints(SampleConfig)
    for field in dataclasses.fields(SampleConfig):
        choices = get_args(hints[field.name])
        low, high = field.metadata["low"], field.metadata["high"]
        bounds = "" if choices else f"from {low} "
        bounds += "" if high is None else f"to {high}"
        note = f"{bounds.strip()}; default {field.default}".strip("; ")
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=str if choices else hints[field.name],
            choices=choices or None,
            default=field.default,
            help=f"{field.metadata['help']} ({note})",
        )
    parser.add_argument(
        "--format", choices=list(FORMATS), default="csv",
        help="of the tables (default csv)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; bad settings end with exit code 2."""
    parser = _parser()
    flags = vars(parser.parse_args(argv))
    out_dir, kind = flags.pop("out_dir"), flags.pop("format")
    try:
        sample = generate(SampleConfig(**flags))
        write_tables(sample.tables, sample.truth, out_dir, kind)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    rows = ", ".join(
        f"{len(next(iter(table.values())))} {name}"
        for name, table in sample.tables.items()
    )
    sys.stdout.write(f"{out_dir}: {rows}, and truth.json\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
