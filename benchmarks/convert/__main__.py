"""The command line: `python -m benchmarks.convert --help`.

Only translates: arguments to a dump and options, errors to one line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.convert.conversion import Options, convert
from benchmarks.convert.dumps import DUMPS
from benchmarks.convert.faults import ConversionError
from benchmarks.convert.summary import summary

_EXAMPLES = """examples:
  python -m benchmarks.convert movielens downloads/ml-1m runs/ml-1m
  python -m benchmarks.convert amazon2014 downloads/beauty runs/beauty
  python -m benchmarks.convert amazon2023 downloads/games runs/games \\
      --min-events 5 --drop-untexted
  python -m benchmarks.convert mind downloads/mind runs/mind --overwrite

Nothing is downloaded. RAW is the folder of the unpacked files; of Amazon, one
with the reviews and the metadata of one category; of MIND, the one above the
train and dev folders, or one of these.
"""


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.convert",
        description="Writes a public dump in the project's data contract.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("dump", choices=list(DUMPS), help="whose format")
    parser.add_argument(
        "raw", metavar="RAW", type=Path, help="folder of the unpacked files"
    )
    parser.add_argument(
        "out", metavar="OUT", type=Path,
        help="folder for the tables, made if missing",
    )
    parser.add_argument(
        "--min-events", metavar="N", type=_count,
        help="keep users and items with N events, until all have as many; 0 "
        "keeps all (default 5 for amazon2014's files of all reviews, else 0)",
    )
    texts = parser.add_mutually_exclusive_group()
    texts.add_argument(
        "--keep-untexted", action="store_true",
        help="keep items of which nothing but the id is known (the default)",
    )
    texts.add_argument(
        "--drop-untexted", action="store_true",
        help="leave them and their events out",
    )
    parser.add_argument(
        "--overwrite", action="store_true",
        help="replace the tables that an earlier conversion left in OUT",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit code: 0, or 1 with a message."""
    flags = _parser().parse_args(argv)
    options = Options(
        min_events=flags.min_events,
        keep_untexted=not flags.drop_untexted,
        overwrite=flags.overwrite,
    )
    try:
        source = DUMPS[flags.dump](flags.raw)
        done = convert(source, flags.out, options)
    except (ConversionError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for line in summary(source, done, flags.out):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
