"""Builds the ScaNN twin of an exact bundle.

    python -m serving.index build export/recommender/1 export/recommender_scann

The twin answers the same signatures. Under ScaNN's smallest catalogue the
exact model itself is copied, and the manifest says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serving import bundle, manifest, versions, warmup
from serving.manifest import BundleError, Manifest
from serving.signatures import EXACT, SCANN

if TYPE_CHECKING:
    from serving.fields import Array
    from serving.search import ScannSearch

MIN_ITEMS = 100
_WANTED_RECALL = 0.98
_RECALL_AT = (10, 100)
_QUERIES = 200
_ITEMS_PER_QUERY = 3  # a query lies between items, as a user's does


def build(
    exact_dir: Path,
    model_dir: Path,
    version: int | None = None,
    *,
    min_items: int = MIN_ITEMS,
) -> Path:
    """Writes the twin of `exact_dir` as a version of `model_dir`, atomically.

    Args:
        exact_dir: version folder of an exact bundle.
        model_dir: e.g. `export/recommender_scann`; made if missing.
        version: the source's number if None.
        min_items: smaller catalogues keep exact search.

    Returns:
        The twin's version folder.

    Raises:
        BundleError: if the source is no sound exact bundle, the version is
            there already, or the disk is full.
    """
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
            complete = _save_scann(exact_dir, folder, target)
        bundle.seal(folder, complete, warmup.read(exact_dir))

    return versions.write_version(model_dir, target.version, save)


def _copy_exact(
    exact_dir: Path, folder: Path, target: Manifest, min_items: int
) -> Manifest:
    shutil.copytree(exact_dir, folder, dirs_exist_ok=True)
    why = f"{target.num_items} items are fewer than the {min_items} for ScaNN"
    return dataclasses.replace(
        target, index={"search": "exact", "because": why}
    )


def _save_scann(exact_dir: Path, folder: Path, target: Manifest) -> Manifest:
    import tensorflow as tf

    from serving.scann_model import ScannModel

    started = time.monotonic()
    exact = tf.saved_model.load(str(exact_dir))
    if not hasattr(exact, "shelf"):
        raise BundleError(
            f"{exact_dir} was exported by an earlier release, without what the "
            "policy of a twin needs; export it again from its job folder."
        )
    search, recall = _tuned(exact.shelf)
    ScannModel(exact, search).save(folder)
    index = {
        "search": "scann tree" if search.plan.leaves else "scann brute force",
        **dataclasses.asdict(search.plan),
        **recall,
        "recall_of": f"{_QUERIES} queries, each the mean of "
        f"{_ITEMS_PER_QUERY} random item vectors, against exact search",
        "exact_version": target.version,
        "build_seconds": round(time.monotonic() - started, 2),
    }
    return dataclasses.replace(target, kind=SCANN, index=index)


def _tuned(shelf: Any) -> tuple[ScannSearch, dict[str, float]]:
    """The fastest plan with the wanted recall, else the most thorough."""
    from serving.search import ScannSearch, plans

    vectors = shelf.vectors.numpy()
    queries = _random_queries(vectors)
    candidates = plans(len(vectors))
    search = ScannSearch(shelf, candidates[0])
    for plan in candidates:
        search.plan = plan
        recall = _recall(search, queries)
        # Each of them: a leaf with fewer items than are asked for is searched
        # exactly, so a poor plan can do well at 100 and badly at 10.
        if min(recall.values()) >= _WANTED_RECALL:
            break
    return search, recall


def _random_queries(vectors: Array) -> Array:
    generator = np.random.default_rng(0)
    shape = (_QUERIES, _ITEMS_PER_QUERY)
    picked = generator.integers(len(vectors), size=shape)
    queries: Array = vectors[picked].mean(axis=1)
    return queries


def _recall(search: ScannSearch, queries: Array) -> dict[str, float]:
    """Share of the exact best k that the index finds, for each k."""
    import tensorflow as tf

    from serving.admission import Admission

    nothing = Admission.excluding(tf.zeros([len(queries), 0], tf.int32))
    recall = {}
    for k in _RECALL_AT:
        wanted = tf.fill([len(queries)], k)
        exact = search.exact(queries, nothing, wanted)[0].numpy()
        found = search(queries, nothing, wanted)[0].numpy()
        hits = [
            len(np.intersect1d(e, f)) / len(e)
            for e, f in zip(exact, found, strict=True)
        ]
        recall[f"recall@{k}"] = round(float(np.mean(hits)), 4)
    return recall


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 if the twin was written."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.index", description=__doc__.split("\n")[0]
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("build", help="write the twin of a version")
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
    arguments = parser.parse_args(argv)
    try:
        print(build(**vars(arguments)))
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
