"""The graph: from raw logs to a blessed, pushed model."""

from __future__ import annotations

from tfx.orchestration import pipeline as tfx_pipeline

from pipeline.config import PipelineConfig
from pipeline.data_nodes import build_sequences, ingest, validate
from pipeline.model_nodes import evaluate, push, train
from pipeline.nodes import Nodes


def create_pipeline(config: PipelineConfig) -> tfx_pipeline.Pipeline:
    """The whole graph, compiled by a runner for where it is to run."""
    nodes: Nodes = {}
    tables = ingest(nodes, config)
    validate(nodes, tables, config)
    build_sequences(nodes, tables, config)
    train(nodes, config)
    evaluate(nodes, config)
    push(nodes, config)
    return tfx_pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.pipeline_root,
        components=list(nodes.values()),
        enable_cache=config.enable_cache,
        beam_pipeline_args=list(config.beam_args),
    )
