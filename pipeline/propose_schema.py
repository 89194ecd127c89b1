"""Proposes a schema for a table as it is, beside the curated one.

The curated schemas say what is wanted; this says what is there. Differences
are worth a look before a first run on new logs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from schema.features import COLUMNS, EVENTS
from trainer.anomalies import DataError

_EXAMPLES = """examples:
  python -m pipeline.propose_schema --data-dir runs/sample
  python -m pipeline.propose_schema --data-dir runs/sample --table items
  python -m pipeline.propose_schema --data-dir gs://bucket/logs \\
      --output proposed.pbtxt
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.propose_schema",
        description="Infers a schema from a table and shows where it differs "
        "from the curated one.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data-dir", required=True, help="folder of the tables"
    )
    parser.add_argument(
        "--table", choices=list(COLUMNS), default=EVENTS,
        help=f"which table (default {EVENTS})",
    )
    parser.add_argument(
        "--output", type=Path, help="file for the proposed schema as a text "
        "proto; it is printed unless given",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the proposal and its differences; 1 if there is no table."""
    flags = _parser().parse_args(arguments)
    from google.protobuf import text_format

    import schema
    from pipeline.schema_inference import differences, infer_schema

    try:
        proposed = infer_schema(flags.data_dir, flags.table)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    text = text_format.MessageToString(proposed)
    if flags.output is None:
        print(text)
    else:
        flags.output.write_text(text, encoding="utf-8")
        print(f"{flags.output}: the proposed schema of {flags.table}.")
    lines = differences(proposed, schema.load(flags.table))
    print(f"Unlike schema/{flags.table}.pbtxt:" if lines else "No difference.")
    for line in lines:
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
