"""Artifacts of SequenceBuilder, made by its executor on ingested tables."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import tensorflow as tf
from local_path import NOW
from tables import ingest
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact

from pipeline.artifacts import TableReview
from pipeline.sequence_builder import (
    CATALOGUE,
    REVIEW,
    SEQUENCES,
    SequenceBuilderExecutor,
)
from schema import features
from trainer.config import DataConfig, RunConfig
from trainer.settings.as_json import to_json

Inputs = dict[str, list[Artifact]]


@dataclasses.dataclass
class Built:
    """What one execution wrote."""

    artifacts: dict[str, Artifact]
    temporary: Path

    def folder(self, name: str) -> Path:
        return Path(self.artifacts[name].uri)

    @property
    def review(self) -> dict[str, Any]:
        return json.loads((self.folder(REVIEW) / "review.json").read_text())

    def records(self, name: str) -> list[tf.train.Features]:
        files = sorted(map(str, self.folder(name).glob("Split-all/*")))
        return [
            tf.train.Example.FromString(record).features
            for record in tf.data.TFRecordDataset(
                files, "GZIP"
            ).as_numpy_iterator()
        ]

    def column(self, name: str) -> list[Any]:
        """A column of the sequences, users in order, one after the other."""
        users = sorted(
            self.records(SEQUENCES),
            key=lambda user: user.feature["first_row"].int64_list.value[0],
        )
        return [v for user in users for v in values(user, name)]


def values(record: tf.train.Features, name: str) -> list[Any]:
    feature = record.feature[name]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def ingested(data: Path, folder: Path) -> Inputs:
    """An artifact of each table of a folder of CSV."""
    return {
        table: [ingest(data, f"{table}.csv", table, folder / table)]
        for table in features.COLUMNS
        if (data / f"{table}.csv").exists()
    }


def outputs_of(folder: Path) -> Built:
    """Outputs as TFX makes them before the executor is called."""
    artifacts: dict[str, Artifact] = {
        SEQUENCES: standard_artifacts.Examples(),
        CATALOGUE: standard_artifacts.Examples(),
        REVIEW: TableReview(),
    }
    for name, artifact in artifacts.items():
        artifact.uri = str(folder / name)
        (folder / name).mkdir(parents=True)
    return Built(artifacts, folder / "temporary")


def build(
    inputs: Inputs,
    built: Built,
    *,
    now: int = NOW,
    config: RunConfig | None = None,
    **settings: Any,
) -> Built:
    """Runs the executor; without `config`, `settings` are DataConfig's."""
    context = base_beam_executor.BaseBeamExecutor.Context(
        tmp_dir=str(built.temporary), unique_id="1"
    )
    config = config or RunConfig(data=DataConfig(**settings))
    SequenceBuilderExecutor(context).Do(
        inputs,
        {name: [artifact] for name, artifact in built.artifacts.items()},
        {"config": to_json(config), "now": now},
    )
    return built
