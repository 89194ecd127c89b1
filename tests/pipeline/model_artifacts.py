"""Artifacts of trained bundles for the tests of components."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.types import standard_artifacts

from serving import bundle, warmup
from serving.manifest import Manifest
from trainer.run import Run
from trainer.settings import as_json

_IDS = itertools.count(1)


def artifact(kind: type, folder: Path) -> Any:
    """An artifact of its own id, its folder made."""
    made = kind()
    made.uri, made.id = str(folder), next(_IDS)
    folder.mkdir(parents=True, exist_ok=True)
    return made


def model_of(version_dir: Path, folder: Path) -> standard_artifacts.Model:
    """A Model artifact as the trainer writes it."""
    shutil.copytree(version_dir, folder / "Format-Serving")
    return artifact(standard_artifacts.Model, folder)


def exact_dir(run: Run) -> Path:
    return run.job_dir / "export" / "recommender" / "1"


def twin_dir(run: Run) -> Path:
    return run.job_dir / "export" / "recommender_scann" / "1"


def worsened(version_dir: Path, folder: Path) -> Path:
    """A copy of an exact bundle in which each item has its neighbour's vector.

    Sound in all respects but one: what it recommends is arbitrary.
    """
    model = tf.saved_model.load(str(version_dir))
    model.item_vectors.assign(tf.roll(model.item_vectors, 17, axis=0))
    tf.saved_model.save(
        model, str(folder), signatures=dict(model.signatures)
    )
    told = dataclasses.replace(Manifest.read(version_dir), files={})
    bundle.seal(folder, told, warmup.read(version_dir))
    return folder


def evaluator_inputs(run: Run, folder: Path) -> dict[str, list[Any]]:
    """All inputs of RetrievalEvaluator but models; the data stay empty."""
    kinds = {
        "sequences": standard_artifacts.Examples,
        "catalogue": standard_artifacts.Examples,
        "sequence_graph": standard_artifacts.TransformGraph,
        "catalogue_graph": standard_artifacts.TransformGraph,
    }
    return {
        name: [artifact(kind, folder / name)] for name, kind in kinds.items()
    }


def settings_of(run: Run) -> str:
    return as_json.to_json(run.config)
