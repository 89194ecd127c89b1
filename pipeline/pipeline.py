"""The graph: from raw logs to a blessed, pushed model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import resources
from typing import Any

from tfx.components import ExampleValidator, StatisticsGen, Transform
from tfx.components.schema_gen.import_schema_gen.component import (
    ImportSchemaGen,
)
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import (
    LatestArtifactStrategy,
)
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.dsl.input_resolution.strategies.span_range_strategy import (
    SpanRangeStrategy,
)
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto import range_config_pb2, transform_pb2
from tfx.types import BaseChannel, Channel
from tfx.types.standard_artifacts import (
    Examples,
    ExampleStatistics,
    Model,
    ModelBlessing,
)

from pipeline.accepted_data import AcceptedBefore, AcceptedSpans
from pipeline.bundle_pusher import BundlePusher
from pipeline.config import PipelineConfig
from pipeline.data_gate import DataGate
from pipeline.drift_validator import DriftValidator
from pipeline.earlier_models import (
    BESIDE,
    BlessedBefore,
    BlessedOnOtherData,
)
from pipeline.example_gen import table_example_gen
from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.index_builder import IndexBuilder
from pipeline.parity_validator import ParityValidator
from pipeline.prepared import SPLIT
from pipeline.ranking_evaluator import RankingEvaluator
from pipeline.retrieval_evaluator import RetrievalEvaluator
from pipeline.sequence_builder import SequenceBuilder
from pipeline.sequence_trainer import SequenceTrainer
from pipeline.sequence_tuner import SequenceTuner
from pipeline.statistics import stats_options
from pipeline.thresholds import Thresholds
from schema import features
from trainer.settings.as_json import to_json

Nodes = dict[str, Any]


def create_pipeline(config: PipelineConfig) -> tfx_pipeline.Pipeline:
    """The whole graph, compiled by a runner for where it is to run."""
    nodes: Nodes = {}
    tables = _ingest(nodes, config)
    _validate(nodes, tables, config)
    _build_sequences(nodes, tables, config)
    _train(nodes, config)
    _evaluate(nodes, config)
    _push(nodes, config)
    return tfx_pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.pipeline_root,
        components=list(nodes.values()),
        enable_cache=config.enable_cache,
        beam_pipeline_args=list(config.beam_args),
    )


def _add(nodes: Nodes, name: str, node: Any) -> Mapping[str, BaseChannel]:
    """Puts a node into the graph. Returns its outputs."""
    nodes[name] = node.with_id(name)
    outputs: Mapping[str, BaseChannel] = nodes[name].outputs
    return outputs


def _ingest(nodes: Nodes, config: PipelineConfig) -> dict[str, BaseChannel]:
    """Examples of each table."""
    sources = dict(config.sources)
    if config.serving_events:
        sources["serving"] = config.serving_events
    return {
        name: _add(
            nodes,
            f"{name}_gen",
            table_example_gen(
                features.EVENTS if name == "serving" else name,
                source,
                data_dir=config.data_dir,
            ),
        )["examples"]
        for name, source in sources.items()
    }


def _validate(
    nodes: Nodes, tables: dict[str, BaseChannel], config: PipelineConfig
) -> None:
    """Statistics, schema, anomalies, drift and skew; and the gate."""
    statistics: dict[str, BaseChannel] = {}
    anomalies: dict[str, BaseChannel] = {}
    drift: dict[str, BaseChannel] = {}
    schemas: dict[str, BaseChannel] = {}
    for name in config.tables:
        previous = _previous(nodes, name, tables[name], config)
        statistics[name] = _add(
            nodes, f"{name}_statistics", _statistics_gen(tables[name])
        )["statistics"]
        nodes[f"{name}_statistics"].add_upstream_node(
            nodes[f"{name}_previous"]
        )
        schemas[name] = _schema(nodes, name, config)
        anomalies[name] = _add(
            nodes,
            f"{name}_validator",
            ExampleValidator(statistics[name], schemas[name]),
        )["anomalies"]
        serving = None
        if name == features.EVENTS and config.serving_events:
            serving = _add(
                nodes, "serving_statistics", _statistics_gen(tables["serving"])
            )["statistics"]
        drift[name] = _add(
            nodes,
            f"{name}_drift",
            DriftValidator(
                statistics[name],
                schemas[name],
                previous_statistics=previous,
                serving_statistics=serving,
            ),
        )["anomalies"]
    gate = DataGate(anomalies, drift=drift, allow_drift=config.allow_drift)
    _add(nodes, "data_gate", gate)


def _statistics_gen(examples: BaseChannel) -> StatisticsGen:
    return StatisticsGen(examples, stats_options=stats_options())


def _previous(
    nodes: Nodes, name: str, examples: BaseChannel, config: PipelineConfig
) -> BaseChannel:
    """Statistics of earlier data; of none the first time."""
    statistics = Channel(
        type=ExampleStatistics, producer_component_id=f"{name}_statistics"
    )
    resolver = Resolver(
        strategy_class=AcceptedBefore,
        statistics=statistics,
        examples=Channel(type=Examples, producer_component_id=f"{name}_gen"),
        **{BESIDE: examples},
    ) if config.own_resolvers else Resolver(
        strategy_class=LatestArtifactStrategy, statistics=statistics
    )
    return _add(nodes, f"{name}_previous", resolver)["statistics"]


def _schema(nodes: Nodes, name: str, config: PipelineConfig) -> BaseChannel:
    folder = config.schema_dir or str(resources.files("schema"))
    schema_gen = ImportSchemaGen(os.path.join(folder, f"{name}.pbtxt"))
    return _add(nodes, f"{name}_schema", schema_gen)["schema"]


def _build_sequences(
    nodes: Nodes,
    tables: dict[str, BaseChannel],
    config: PipelineConfig,
) -> None:
    """Sequences and catalogue, and what Transform makes of them."""
    tables = {name: tables[name] for name in config.tables}
    if config.has_spans:
        tables[features.EVENTS] = _events_of_spans(nodes, config)
    built = _add(
        nodes,
        "sequence_builder",
        SequenceBuilder(tables, to_json(config.run)),
    )
    # After the gate, but not of its making: a second look at the same data
    # must not build anew.
    nodes["sequence_builder"].add_upstream_node(nodes["data_gate"])
    text_columns = config.run.text.column_names
    for name in ("sequences", "catalogue"):
        label = name.removesuffix("s")
        transform = Transform(
            examples=built[name],
            schema=_schema(nodes, name, config),
            preprocessing_fn=f"pipeline.preprocessing.{name}_fn",
            splits_config=transform_pb2.SplitsConfig(
                analyze=[SPLIT], transform=[SPLIT]
            ),
            custom_config={
                "text_columns": text_columns,
                CODE_FINGERPRINT: source_fingerprint(
                    "pipeline.preprocessing", "trainer.requests",
                    "trainer.records",
                ),
            },
        )
        _add(nodes, f"{label}_transform", transform)


def _events_of_spans(nodes: Nodes, config: PipelineConfig) -> BaseChannel:
    """The events of the newest spans, this run's included."""
    newest = range_config_pb2.RangeConfig(
        rolling_range=range_config_pb2.RollingRange(
            num_spans=config.window_spans
        )
    )
    events = Channel(type=Examples, producer_component_id="events_gen")
    resolver = Resolver(
        strategy_class=AcceptedSpans,
        config={"num_spans": config.window_spans},
        examples=events,
    ) if config.own_resolvers else Resolver(
        strategy_class=SpanRangeStrategy,
        config={"range_config": newest},
        examples=events,
    )
    window = _add(nodes, "events_window", resolver)["examples"]
    for name in ("events_gen", "data_gate"):
        nodes["events_window"].add_upstream_node(nodes[name])
    return window


def _transformed(nodes: Nodes) -> dict[str, BaseChannel]:
    """What trainer and evaluator read."""
    sequence = nodes["sequence_transform"].outputs
    catalogue = nodes["catalogue_transform"].outputs
    return {
        "sequences": sequence["transformed_examples"],
        "catalogue": catalogue["transformed_examples"],
        "sequence_graph": sequence["transform_graph"],
        "catalogue_graph": catalogue["transform_graph"],
    }


def _blessed(
    nodes: Nodes, name: str, strategy: Any, beside: BaseChannel | None
) -> BaseChannel:
    """A model that an earlier run has blessed; nothing the first time."""
    extra = {} if beside is None else {BESIDE: beside}
    resolver = Resolver(
        strategy_class=strategy,
        model=Channel(type=Model, producer_component_id="trainer"),
        model_blessing=Channel(
            type=ModelBlessing, producer_component_id="retrieval_evaluator"
        ),
        **extra,
    )
    return _add(nodes, name, resolver)["model"]


def _train(nodes: Nodes, config: PipelineConfig) -> None:
    """The model, from the weights of an earlier one where there is one."""
    transformed = _transformed(nodes)
    base_model = None
    if config.warm_start:
        base_model = _blessed(
            nodes, "warm_start", BlessedOnOtherData, transformed["sequences"]
        ) if config.own_resolvers else _blessed(
            nodes, "warm_start", LatestBlessedModelStrategy, None
        )
    best = None
    if config.tuner_trials:
        tuner = SequenceTuner(
            **transformed,
            config=config.run,
            trials=config.tuner_trials,
            base_model=base_model,
            work_dir=config.work_dir,
        )
        best = _add(nodes, "tuner", tuner)["best_hyperparameters"]
    trainer = SequenceTrainer(
        **transformed,
        config=config.run,
        base_model=base_model,
        hyperparameters=best,
        work_dir=config.work_dir,
    )
    trained = _add(nodes, "trainer", trainer)
    index = IndexBuilder(
        trained["model"], min_items=config.run.export.scann_min_items
    )
    _add(nodes, "index_builder", index)


def _evaluate(nodes: Nodes, config: PipelineConfig) -> None:
    """Is it good enough, and is it what was trained?"""
    model = nodes["trainer"].outputs["model"]
    baseline = _blessed(
        nodes, "latest_blessed", BlessedBefore, model
    ) if config.own_resolvers else _blessed(
        nodes, "latest_blessed", LatestBlessedModelStrategy, None
    )
    evaluated = _add(
        nodes,
        "retrieval_evaluator",
        RetrievalEvaluator(
            model,
            **_transformed(nodes),
            config=config.run,
            thresholds=Thresholds.from_json(config.thresholds),
            baseline_model=baseline,
            scann_model=nodes["index_builder"].outputs["scann_model"],
            force_bless_reason=config.force_bless_reason,
        ),
    )
    ranking = RankingEvaluator(evaluated["ranking_predictions"], model)
    _add(nodes, "ranking_evaluator", ranking)
    built = nodes["sequence_builder"].outputs
    parity = ParityValidator(
        model,
        nodes["trainer"].outputs["model_run"],
        built["sequences"],
        built["catalogue"],
        _transformed(nodes),
    )
    _add(nodes, "parity_validator", parity)


def _push(nodes: Nodes, config: PipelineConfig) -> None:
    """Both bundles under one number, or neither."""
    blessings = {
        "model_blessing": nodes["retrieval_evaluator"].outputs["blessing"],
        "infra_blessing": nodes["parity_validator"].outputs["blessing"],
        "ranking_blessing": nodes["ranking_evaluator"].outputs["blessing"],
    }
    base = os.path.join(config.serving_dir, config.run.export.model_name)
    pusher = BundlePusher(
        nodes["trainer"].outputs["model"], **blessings, base_directory=base
    )
    pushed = _add(nodes, "pusher", pusher)["pushed_model"]
    twin_pusher = BundlePusher(
        nodes["index_builder"].outputs["scann_model"],
        **blessings,
        base_directory=f"{base}_scann",
        pushed_exact=pushed,
    )
    _add(nodes, "scann_pusher", twin_pusher)
