"""Says how good the items' text is, and writes cleaned tables.

    python -m trainer.text_quality --data-dir DIR [--output DIR] [--report FILE]

TensorFlow is not loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trainer.settings.command_line import refuse_unknown
from trainer.settings.flags import OneLineParser, add_section
from trainer.text_quality.config import TextQualityConfig

_SECTION = "text_quality"
_EXAMPLES = """\
examples:
  python -m trainer.text_quality --data-dir logs
  python -m trainer.text_quality --data-dir logs --report quality.json
  python -m trainer.text_quality --data-dir logs --output cleaned
  python -m trainer.task --data-dir cleaned --job-dir job
new items, cleaned as those that a model was trained with:
  python -m trainer.text_quality --data-dir new --output new_cleaned \\
      --boilerplate cleaned/boilerplate.txt
  python -m serving.index add job/export/recommender \\
      --items new_cleaned/items.csv
"""


def make_parser() -> argparse.ArgumentParser:
    """All flags; those of the configuration have no default here."""
    parser = OneLineParser(
        prog="python -m trainer.text_quality",
        usage="%(prog)s --data-dir DIR [options]",
        description="Says how good the items' text is: what is empty, what is "
        "HTML or boilerplate, which languages there are, and which items are "
        "near-duplicates.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--data-dir", required=True, metavar="DIR", type=Path,
        help="folder of the tables, as of trainer.task; items are enough",
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path,
        help="a new folder for the tables with cleaned items: items.csv, "
        "copies of the other tables, boilerplate.txt",
    )
    parser.add_argument(
        "--report", metavar="FILE.json", type=Path,
        help="everything found as JSON, all groups of near-duplicates included",
    )
    add_section(parser, _SECTION, TextQualityConfig)
    return parser


def _write_json(content: object, path: Path) -> None:
    """Writes the file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(content, indent=1, ensure_ascii=False)
    partial.write_text(f"{text}\n", encoding="utf-8")
    os.replace(partial, path)


def _execute(
    data_dir: Path,
    config: TextQualityConfig,
    output: Path | None,
    report_file: Path | None,
) -> None:
    from trainer.text_quality.run import run
    from trainer.text_quality.summary import summary

    if report_file is not None and not report_file.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {report_file.parent}; make it, or give "
            "another --report."
        )
    report = run(data_dir, config, output)
    print(summary(report))
    if report_file is not None:
        _write_json(report, report_file)
        print(f"report: {report_file}")
    if output is not None:
        print(f"train with: python -m trainer.task --data-dir {output}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code: 0, or 1 with a message."""
    parser = make_parser()
    known, unknown = parser.parse_known_args(argv)
    flags = vars(known)
    data_dir, output, report_file = (
        flags.pop(name) for name in ("data_dir", "output", "report")
    )
    fields = {key.partition(".")[2]: value for key, value in flags.items()}
    try:
        refuse_unknown(unknown, parser)
        config = TextQualityConfig(**fields)
    except ValueError as error:
        parser.error(str(error))
    try:
        _execute(data_dir, config, output, report_file)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
