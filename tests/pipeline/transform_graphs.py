"""Transform graphs of raw examples, made by TensorFlow Transform itself."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from tfx_bsl.public import tfxio

import schema


def analyze(raw: Any, table: str, fn: Any, graph_uri: str) -> None:
    """Writes the transform graph of raw examples."""
    source = tfxio.TFExampleRecord(
        f"{raw.uri}/Split-all/*", schema=schema.load(table)
    )
    with (
        beam.Pipeline() as pipeline,
        tft_beam.Context(temp_dir=f"{graph_uri}/temp"),
    ):
        data = pipeline | source.BeamSource()
        graph = (
            (data, source.TensorAdapterConfig())
            | tft_beam.AnalyzeDataset(fn)
        )
        _ = graph | tft_beam.WriteTransformFn(graph_uri)
        metadata = dataset_metadata.DatasetMetadata(schema.load(table))
        _ = metadata | tft_beam.WriteMetadata(
            f"{graph_uri}/metadata", pipeline
        )
