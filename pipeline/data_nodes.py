"""The part of the graph that is about data: from files to codes."""

from __future__ import annotations

import os
from importlib import resources

from tfx.components import ExampleValidator, StatisticsGen, Transform
from tfx.components.schema_gen.import_schema_gen.component import (
    ImportSchemaGen,
)
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import (
    LatestArtifactStrategy,
)
from tfx.dsl.input_resolution.strategies.span_range_strategy import (
    SpanRangeStrategy,
)
from tfx.proto import range_config_pb2, transform_pb2
from tfx.types import BaseChannel, Channel
from tfx.types.standard_artifacts import (
    Examples,
    ExampleStatistics,
)

from pipeline.accepted_data import AcceptedBefore, AcceptedSpans
from pipeline.config import PipelineConfig
from pipeline.data_gate import DataGate
from pipeline.drift_validator import DriftValidator
from pipeline.earlier_models import (
    BESIDE,
)
from pipeline.example_gen import table_example_gen
from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.nodes import Nodes, add
from pipeline.prepared import SPLIT
from pipeline.sequence_builder import SequenceBuilder
from pipeline.statistics import stats_options
from schema import features
from trainer.settings.as_json import to_json
from trainer.template_setting import read_templates
from trainer.text_config import TextConfig


def ingest(nodes: Nodes, config: PipelineConfig) -> dict[str, BaseChannel]:
    """Examples of each table."""
    sources = dict(config.sources)
    if config.serving_events:
        sources["serving"] = config.serving_events
    return {
        name: add(
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


def validate(
    nodes: Nodes, tables: dict[str, BaseChannel], config: PipelineConfig
) -> None:
    """Statistics, schema, anomalies, drift and skew; and the gate."""
    statistics: dict[str, BaseChannel] = {}
    anomalies: dict[str, BaseChannel] = {}
    drift: dict[str, BaseChannel] = {}
    schemas: dict[str, BaseChannel] = {}
    for name in config.tables:
        previous = _previous(nodes, name, tables[name], config)
        statistics[name] = add(
            nodes, f"{name}_statistics", _statistics_gen(tables[name])
        )["statistics"]
        nodes[f"{name}_statistics"].add_upstream_node(
            nodes[f"{name}_previous"]
        )
        schemas[name] = _schema(nodes, name, config)
        anomalies[name] = add(
            nodes,
            f"{name}_validator",
            ExampleValidator(statistics[name], schemas[name]),
        )["anomalies"]
        serving = None
        if name == features.EVENTS and config.serving_events:
            serving = add(
                nodes, "serving_statistics", _statistics_gen(tables["serving"])
            )["statistics"]
        drift[name] = add(
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
    add(nodes, "data_gate", gate)


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
    return add(nodes, f"{name}_previous", resolver)["statistics"]


def _schema(nodes: Nodes, name: str, config: PipelineConfig) -> BaseChannel:
    folder = config.schema_dir or str(resources.files("schema"))
    schema_gen = ImportSchemaGen(os.path.join(folder, f"{name}.pbtxt"))
    return add(nodes, f"{name}_schema", schema_gen)["schema"]


def build_sequences(
    nodes: Nodes,
    tables: dict[str, BaseChannel],
    config: PipelineConfig,
) -> None:
    """Sequences and catalogue, and what Transform makes of them."""
    tables = {name: tables[name] for name in config.tables}
    if config.has_spans:
        tables[features.EVENTS] = _events_of_spans(nodes, config)
    built = add(
        nodes,
        "sequence_builder",
        SequenceBuilder(tables, to_json(config.run)),
    )
    # After the gate, but not of its making: a second look at the same data
    # must not build anew.
    nodes["sequence_builder"].add_upstream_node(nodes["data_gate"])
    columns = catalogue_settings(config.run.text)
    for name in ("sequences", "catalogue"):
        label = name.removesuffix("s")
        transform = Transform(
            examples=built[name],
            schema=_schema(nodes, name, config),
            preprocessing_fn=f"pipeline.preprocessing.{name}_fn",
            splits_config=transform_pb2.SplitsConfig(
                analyze=[SPLIT], transform=[SPLIT]
            ),
            # Nothing reads them, and they take as long as the rest.
            disable_statistics=True,
            disable_analyzer_cache=True,
            custom_config={
                **columns,
                CODE_FINGERPRINT: source_fingerprint(
                    "pipeline.preprocessing", "trainer.requests",
                    "trainer.records",
                ),
            },
        )
        add(nodes, f"{label}_transform", transform)


def catalogue_settings(text: TextConfig) -> dict[str, list[str]]:
    """What Transform must know to hand on the columns that are read."""
    columns = {"text_columns": text.column_names}
    templates = read_templates(text.behaviour_text)
    if templates:
        columns["behaviour_columns"] = templates.item_columns
    return columns


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
    window = add(nodes, "events_window", resolver)["examples"]
    for name in ("events_gen", "data_gate"):
        nodes["events_window"].add_upstream_node(nodes[name])
    return window
