"""Writes a trained model as an exact bundle."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from serving import bundle, manifest, signatures, versions, warmup
from trainer.config import RunConfig
from trainer.prepare import Prepared
from trainer.served import ServedModel
from trainer.warm_start import vocabularies

_WARMUP_ITEMS = 3


def concrete_signatures(served: ServedModel) -> dict[str, Any]:
    """One concrete function per signature, and recommend as the default."""
    functions = {
        signature.name: tf.function(
            getattr(served, signature.name), autograph=False
        ).get_concrete_function(**served.specs(signature.name))
        for signature in signatures.offered(served.counts_events)
    }
    recommend = functions[signatures.RECOMMEND]
    return {**functions, signatures.DEFAULT_SIGNATURE: recommend}


def _state_of_nobody(served: ServedModel) -> np.ndarray:
    """[1, s] a state that `advance` takes."""
    fields = signatures.known(signatures.USER_INPUTS, served.reads_text)
    user = signatures.blank(fields, {"b": 1})
    inputs = {name: tf.constant(value) for name, value in user.items()}
    state: np.ndarray = served.embed_user(**inputs)["state"].numpy()
    return state


def _described(
    served: ServedModel,
    prepared: Prepared,
    config: RunConfig,
    version: int,
    metrics: Mapping[str, Any],
) -> manifest.Manifest:
    return manifest.Manifest(
        model_name=config.export.model_name,
        version=version,
        kind=signatures.EXACT,
        created=manifest.utc_now(),
        num_items=len(prepared.catalogue),
        index={"search": "exact"},
        vocabularies={
            key: manifest.vocabulary_hash(names)
            for key, names in vocabularies(prepared).items()
        },
        data_span={
            "first_train_event": prepared.span[0],
            "last_train_event": prepared.span[1],
            "events": len(prepared.sequences.item),
            "users": prepared.sequences.num_users,
        },
        metrics=metrics,
        config=dataclasses.asdict(config),
        journal=manifest.NO_JOURNAL,
        signatures=signatures.as_json(
            served.reads_text, served.counts_events
        ),
    )


def export_exact(
    served: ServedModel,
    prepared: Prepared,
    config: RunConfig,
    *,
    model_dir: Path,
    version: int,
    metrics: Mapping[str, Any],
) -> Path:
    """Writes a version of the exact bundle, complete or not at all.

    Returns:
        The version's folder.

    Raises:
        serving.manifest.BundleError: if the graph holds other than core
            operations, or the disk is full.
    """
    described = _described(served, prepared, config, version, metrics)

    def save(folder: Path) -> None:
        tf.saved_model.save(
            served, str(folder), signatures=concrete_signatures(served)
        )
        examples = warmup.default_requests(
            prepared.catalogue.item_ids[:_WARMUP_ITEMS],
            _state_of_nobody(served),
            reads_text=served.reads_text,
            counts_events=served.counts_events,
        )
        bundle.seal(folder, described, examples)

    return versions.write_version(model_dir, version, save)


def latest_bundle(job_dir: Path, config: RunConfig) -> Path:
    """Folder of the newest exact bundle that a run has exported."""
    model_dir = job_dir / "export" / config.export.model_name
    return model_dir / str(max(versions.versions(model_dir)))
