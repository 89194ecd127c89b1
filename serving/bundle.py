"""Seals a saved model into a bundle: warm-up requests, checks, manifest."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from serving import known_ids, warmup
from serving import manifest as manifests
from serving.manifest import BundleError, Manifest
from serving.signatures import EXACT


def op_types(version_dir: Path) -> tuple[str, ...]:
    """Sorted operation types of a saved model, function bodies included."""
    from serving import saved_model

    found: set[str] = set()
    for graph in saved_model.read(version_dir).meta_graphs:
        library = graph.graph_def.library.function
        own = {function.signature.name for function in library}
        found.update(node.op for node in graph.graph_def.node)
        for function in library:
            found.update(node.op for node in function.node_def)
        found -= own  # a call to a function of the graph is no operation
    return tuple(sorted(found))


def non_core_ops(types: Sequence[str]) -> tuple[str, ...]:
    """Those that a stock TensorFlow does not have.

    `tf.raw_ops` is generated with TensorFlow, so libraries that were loaded
    into this process do not count as core.
    """
    import tensorflow as tf

    core = set(dir(tf.raw_ops))
    return tuple(sorted(op for op in types if op not in core))


def check_core_ops(version_dir: Path) -> None:
    """Refuses a saved model that a stock TensorFlow Serving cannot load.

    Raises:
        BundleError: naming the operations.
    """
    foreign = non_core_ops(op_types(version_dir))
    if foreign:
        raise BundleError(
            f"{version_dir} uses operations that TensorFlow itself lacks: "
            f"{', '.join(foreign)}. An exact bundle has core operations only; "
            "replace them, tf-text and ScaNN in the first place."
        )


def seal(
    version_dir: Path,
    manifest: Manifest,
    warmup_requests: Sequence[warmup.Request],
) -> Manifest:
    """Completes a saved model: op check, warm-up file, ids, manifest.

    Args:
        version_dir: holds what `tf.saved_model.save` wrote.
        manifest: without op_types, non_core_ops and files.
        warmup_requests: replayed by every server before it takes requests.

    Returns:
        The manifest as written.

    Raises:
        BundleError: if an exact bundle has other than core operations.
    """
    types = op_types(version_dir)
    if manifest.kind == EXACT:
        check_core_ops(version_dir)
        if manifest.journal:  # whose commands ask for them
            known_ids.write(version_dir)
    warmup.write(version_dir, manifest.model_name, warmup_requests)
    complete = dataclasses.replace(
        manifest,
        op_types=types,
        non_core_ops=non_core_ops(types),
        files=manifests.file_hashes(version_dir),
    )
    complete.write(version_dir)
    return complete
