"""Says what this machine and environment lack, and what to do about it.

    python -m trainer.doctor [--deep] [--job-dir DIR]

Exit code 1 where something would make a run fail. TensorFlow is loaded only
with --deep, in processes of their own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from trainer.doctor import machine as doctor_machine
from trainer.doctor import packages as doctor_packages
from trainer.doctor.findings import Finding


def main(argv: Sequence[str] | None = None) -> int:
    """Prints every finding. Returns the exit code."""
    args = _parser().parse_args(argv)
    findings = examine(args.job_dir)
    if args.deep:
        findings += doctor_packages.load_everything()
    for finding in findings:
        print(finding)
    counts = {
        level: sum(finding.level == level for finding in findings)
        for level in ("ok", "warn", "fail")
    }
    print("{ok} ok, {warn} to know, {fail} to mend".format(**counts))
    return 1 if counts["fail"] else 0


def examine(job_dir: str) -> list[Finding]:
    """All findings that need no TensorFlow."""
    return [
        *doctor_machine.examine(job_dir),
        *doctor_packages.examine(dict(os.environ)),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainer.doctor",
        description="Checks machine and environment; exit code 1 where a run "
        "would fail.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--deep", action="store_true",
        help="also load TensorFlow, the encoder's library and ScaNN (slow)",
    )
    parser.add_argument(
        "--job-dir", default=".", metavar="DIR",
        help="folder whose disk is looked at (default: this one)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
