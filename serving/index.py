"""Builds the ScaNN twin of an exact bundle, and keeps its catalogue alive.

    python -m serving.index build export/recommender/1 export/recommender_scann
    python -m serving.index add export/recommender --items new.csv
    python -m serving.index remove export/recommender i0341
    python -m serving.index stats export/recommender
    python -m serving.index compact export/recommender

The twin answers the same signatures. Under ScaNN's smallest catalogue the
exact model itself is copied, and the manifest says so. What is added and
removed stands in a journal (`serving.live`), which servers follow.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from serving import bundle, manifest, versions, warmup
from serving.live import commands
from serving.live.frames import JournalError
from serving.live.items import ItemError
from serving.manifest import BundleError, Manifest
from serving.signatures import EXACT, SCANN

MIN_ITEMS = 100


def build(
    exact_dir: Path,
    model_dir: Path,
    version: int | None = None,
    *,
    min_items: int = MIN_ITEMS,
    recall: float | None = None,
) -> Path:
    """Writes the twin of `exact_dir` as a version of `model_dir`, atomically.

    Args:
        exact_dir: version folder of an exact bundle.
        model_dir: e.g. `export/recommender_scann`; made if missing.
        version: the source's number if None.
        min_items: smaller catalogues keep exact search.
        recall: in (0, 1], that the index is tuned to; None for .98.

    Returns:
        The twin's version folder.

    Raises:
        BundleError: if the source is no sound exact bundle, the version is
            there already, the recall cannot be, or the disk is full.
    """
    if recall is not None and not 0 < recall <= 1:
        raise BundleError(f"recall must be in (0, 1], got {recall}.")
    source = Manifest.read(exact_dir)
    manifest.check_files(exact_dir, source)
    if source.kind != EXACT:
        raise BundleError(
            f"{exact_dir} is a {source.kind} bundle; pass the exact one."
        )
    target = dataclasses.replace(
        source,
        model_name=model_dir.name,
        version=source.version if version is None else version,
        created=manifest.utc_now(),
    )

    def save(folder: Path) -> None:
        if source.num_items < min_items:
            complete = _copy_exact(exact_dir, folder, target, min_items)
        else:
            complete = _save_scann(exact_dir, folder, target, recall)
        bundle.seal(folder, complete, warmup.read(exact_dir))

    return versions.write_version(model_dir, target.version, save)


def _copy_exact(
    exact_dir: Path, folder: Path, target: Manifest, min_items: int
) -> Manifest:
    shutil.copytree(exact_dir, folder, dirs_exist_ok=True)
    why = f"{target.num_items} items are fewer than the {min_items} for ScaNN"
    index = {
        "search": "exact",
        "because": why,
        "exact_model": Manifest.read(exact_dir).model_name,
    }
    return dataclasses.replace(target, index=index)


def _save_scann(
    exact_dir: Path, folder: Path, target: Manifest, recall: float | None
) -> Manifest:
    import tensorflow as tf

    from serving.recall import WANTED_RECALL, tuned
    from serving.scann_model import ScannModel

    started = time.monotonic()
    exact = tf.saved_model.load(str(exact_dir))
    if not hasattr(exact, "stock"):
        raise BundleError(
            f"{exact_dir} was exported by an earlier release, without what the "
            "policy of a twin needs; export it again from its job folder."
        )
    chosen = tuned(
        exact.stock.shelf, WANTED_RECALL if recall is None else recall
    )
    ScannModel(exact, chosen.search).save(folder)
    index = {
        **chosen.described(),
        "exact_model": Manifest.read(exact_dir).model_name,
        "exact_version": target.version,
        "build_seconds": round(time.monotonic() - started, 2),
    }
    return dataclasses.replace(target, kind=SCANN, index=index)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 if what was asked for is done."""
    arguments = vars(parser().parse_args(argv))
    run = arguments.pop("run")
    try:
        print(run(**arguments))
    except (BundleError, ItemError, JournalError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands; each has its function as `run`."""
    result = argparse.ArgumentParser(
        prog="python -m serving.index", description=__doc__.split("\n")[0]
    )
    every = result.add_subparsers(required=True)
    command = every.add_parser("build", help="write the twin of a version")
    command.add_argument("exact_dir", type=Path, help="EXPORT/recommender/1")
    command.add_argument(
        "model_dir", type=Path, help="EXPORT/recommender_scann"
    )
    command.add_argument(
        "--version", type=int, help="of the twin; default: the source's"
    )
    command.add_argument(
        "--min_items",
        type=int,
        default=MIN_ITEMS,
        help="smaller catalogues keep exact search (default: %(default)s)",
    )
    command.add_argument(
        "--recall",
        type=float,
        help="at 10 and at 100, that the index is tuned to (default: .98)",
    )
    command.set_defaults(run=build)
    commands.add_to(every)
    return result


if __name__ == "__main__":
    sys.exit(main())
