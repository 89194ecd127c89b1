"""The flags of `python -m benchmarks.quality`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from benchmarks.quality import datasets
from benchmarks.quality.variants import FULL, VARIANTS

_ABOUT = """\
Trains and measures many runs, one after the other, and tables them.

Runs data set x preset x variant x seed, each in a process of its own. What
is finished is not run again; what was interrupted goes on.
"""
_EXAMPLES = """examples:
  python -m benchmarks.quality --data amazon-beauty ml-1m --seeds 0 1 2
  python -m benchmarks.quality --data amazon-beauty --variant full id-only
  python -m benchmarks.quality --data amazon-beauty --cold-items 0.05
  python -m benchmarks.quality --data caixin-news-zh --latest-validation 0.1
  python -m benchmarks.quality --data ml-100k --protocol tfrs --set epochs=5
  python -m benchmarks.quality --table
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage of all flags would hide it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", nargs="+", default=[], metavar="NAME",
        help=f"{', '.join(datasets.SPLITS)}, or folders of tables",
    )
    parser.add_argument(
        "--data-root", metavar="DIR", help="folder of the named sets "
        f"(default: the variable {datasets.ROOT_VARIABLE})",
    )
    parser.add_argument(
        "--split", choices=["time", "leave_one_out", "column"],
        help="instead of the data set's own protocol",
    )
    parser.add_argument(
        "--preset", nargs="+", default=["base"], metavar="NAME",
        help="of the trainer (default base)",
    )
    parser.add_argument(
        "--variant", nargs="+", default=[FULL], metavar="NAME",
        help=f"{', '.join(VARIANTS)} (default {FULL}); the first of them "
        "brings the baselines",
    )
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
        help="settings of the trainer for every run; they become part of "
        "the variant's name",
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], metavar="N",
        help="(default 0)",
    )


def _add_data_changes(parser: argparse.ArgumentParser) -> None:
    changes = parser.add_mutually_exclusive_group()
    changes.add_argument(
        "--shuffle-ties", action="store_true",
        help="draw the order of a user's events of equal timestamp anew, by "
        "the seed of the run",
    )
    changes.add_argument(
        "--cold-items", type=float, metavar="SHARE",
        help="remove all events but the test targets of this share of the "
        "test items; runs on all events come with it",
    )
    changes.add_argument(
        "--latest-validation", type=float, metavar="SHARE",
        help="of a `split` column without validation rows: the latest train "
        "events by time become validation events",
    )
    changes.add_argument(
        "--sample-users", type=float, metavar="SHARE",
        help="keep the events of this share of the users alone, drawn by the "
        "seed of the run; the catalogue stays whole",
    )
    changes.add_argument(
        "--protocol", choices=["standard", "tfrs"], default="standard",
        help="tfrs: the random 80/20 split of TFRS's basic retrieval "
        "tutorial, every test event asked from the train events before it",
    )


def _add_how(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("runs/quality"), metavar="DIR",
        help="folder of all results (default runs/quality)",
    )
    parser.add_argument(
        "--text-cache", type=Path, metavar="DIR",
        help="of text vectors, shared by all runs (default OUT/text_cache)",
    )
    parser.add_argument(
        "--keep-jobs", action="store_true",
        help="keep the checkpoints of finished runs",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="list the runs, and stop"
    )
    parser.add_argument(
        "--table", action="store_true",
        help="table what is finished, and run nothing",
    )


def make_parser() -> argparse.ArgumentParser:
    """All flags of the harness."""
    parser = _Parser(
        prog="python -m benchmarks.quality",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_what(parser)
    _add_data_changes(parser)
    _add_how(parser)
    return parser
