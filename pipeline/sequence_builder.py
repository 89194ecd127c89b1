"""SequenceBuilder: rows of tables to behaviour sequences and a catalogue.

Rows in = rows kept + rows rejected, checked; and nothing that is handed on
knows the future, checked on what was written.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from tfx.components.util import examples_utils
from tfx.dsl.components.base import (
    base_beam_component,
    base_beam_executor,
    executor_spec,
)
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, channel, component_spec
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import Examples

from pipeline.artifacts import TableReview
from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.reading import ReadTable, span_of
from pipeline.sequences import graph
from pipeline.sequences.facts import read_facts, write_facts
from pipeline.sequences.row_counts import rows_of
from pipeline.sequences.steps import Plan
from pipeline.sequences.verdict import (
    check_point_in_time,
    check_rows,
    write_review,
)
from schema import features
from trainer.config import RunConfig
from trainer.settings.as_json import from_text

SEQUENCES, CATALOGUE, REVIEW = "sequences", "catalogue", "table_review"
SPLIT_NAME = "all"
_ROWS_PER_SHARD = 250_000
_SOURCES = (
    "pipeline.example_tables", "pipeline.list_columns", "pipeline.reading",
    "pipeline.sequence_builder", "pipeline.sequences", "pipeline.table_batches",
    "schema", "trainer.behaviour", "trainer.splits", "trainer.tables",
)


class SequenceBuilderSpec(component_spec.ComponentSpec):
    """Inputs, outputs and properties of `SequenceBuilder`."""

    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "now": component_spec.ExecutionParameter(type=int),
        CODE_FINGERPRINT: component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        features.EVENTS: component_spec.ChannelParameter(type=Examples),
        features.ITEMS: component_spec.ChannelParameter(type=Examples),
        features.USERS: component_spec.ChannelParameter(
            type=Examples, optional=True
        ),
        features.SCENARIOS: component_spec.ChannelParameter(
            type=Examples, optional=True
        ),
    }
    OUTPUTS = {
        SEQUENCES: component_spec.ChannelParameter(type=Examples),
        CATALOGUE: component_spec.ChannelParameter(type=Examples),
        REVIEW: component_spec.ChannelParameter(type=TableReview),
    }


class SequenceBuilderExecutor(base_beam_executor.BaseBeamExecutor):
    """Runs the graph of `pipeline.sequences` and checks what it made."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes sequences, catalogue and review.

        Raises:
            DataError: if too many rows of a table are bad, if rows were lost,
                or if a sequence knows the future.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = from_text(exec_properties["config"])
        sources = {
            name: _latest_of_spans(input_dict[name])
            for name in features.COLUMNS
            if input_dict.get(name)
        }
        review_uri = artifact_utils.get_single_uri(output_dict[REVIEW])
        folder = FileSystems.join(self._get_tmp_dir(), "parts")
        facts_folder = FileSystems.join(folder, "facts")
        rejects = FileSystems.join(review_uri, "rejects")
        _make_folders(folder, facts_folder, rejects)
        rows = {
            name: rows_of(artifacts, self._make_beam_pipeline, facts_folder)
            for name, artifacts in sources.items()
        }
        plan = _plan(config, rows, folder, rejects)
        plan = dataclasses.replace(
            plan, now=exec_properties.get("now") or plan.now
        )
        outputs = {
            name: artifact_utils.get_single_instance(output_dict[name])
            for name in (SEQUENCES, CATALOGUE)
        }
        with self._make_beam_pipeline() as pipeline:
            tables = {
                name: pipeline | f"Read({name})" >> ReadTable(artifacts, name)
                for name, artifacts in sources.items()
            }
            made = graph.build(tables, plan)
            for name, artifact in outputs.items():
                _write_examples(getattr(made, name), artifact, name)
            write_facts(made, facts_folder)
        tables_found, spans = read_facts(facts_folder, rows)
        FileSystems.delete([folder])
        write_review(tables_found, review_uri)
        check_rows(tables_found, rows, config.data.max_reject_share, review_uri)
        check_point_in_time(spans, config.data.split)
        for artifact in outputs.values():
            _describe(artifact)


class SequenceBuilder(base_beam_component.BaseBeamComponent):
    """Checks rows, groups them by user, orders and splits.

    Args:
        tables: table examples by name: events, which may come in several
            spans, items and, where there are any, users and scenarios.
        config: JSON of a `trainer.config.RunConfig` as mappings.
        now: unix seconds after which an event is a bad row; 0 for the moment
            of the run.
    """

    SPEC_CLASS = SequenceBuilderSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(SequenceBuilderExecutor)

    def __init__(
        self,
        tables: Mapping[str, channel.BaseChannel],
        config: str,
        *,
        now: int = 0,
    ) -> None:
        super().__init__(
            SequenceBuilderSpec(
                **tables,
                config=config,
                now=now,
                **{CODE_FINGERPRINT: source_fingerprint(*_SOURCES)},
                **{
                    SEQUENCES: channel.Channel(type=Examples),
                    CATALOGUE: channel.Channel(type=Examples),
                    REVIEW: channel.Channel(type=TableReview),
                },
            )
        )


def _plan(
    config: RunConfig, rows: Mapping[str, int], folder: str, rejects: str
) -> Plan:
    """As many shards as these rows need; events until this moment."""
    users = rows[features.EVENTS] + rows.get(features.USERS, 0)
    return Plan(
        data=config.data,
        seed=config.training.seed,
        now=int(time.time()),
        user_shards=1 + users // _ROWS_PER_SHARD,
        item_shards=1 + rows[features.ITEMS] // _ROWS_PER_SHARD,
        folder=folder,
        rejects=rejects,
        reads_text=config.text.reads_behaviour,
    )


def _latest_of_spans(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """One artifact per span, in order: its last version, the newest of it."""
    ordered = sorted(artifacts, key=lambda a: (*span_of(a), a.id or 0))
    latest = {span_of(artifact)[0]: artifact for artifact in ordered}
    return list(latest.values())


def _make_folders(*folders: str) -> None:
    for folder in folders:
        if not FileSystems.exists(folder):
            FileSystems.mkdirs(folder)


def _write_examples(
    examples: beam.PCollection, artifact: Artifact, name: str
) -> None:
    prefix = FileSystems.join(artifact.uri, f"Split-{SPLIT_NAME}", name)
    _ = examples | f"Write({name})" >> beam.io.WriteToTFRecord(
        prefix, file_name_suffix=".gz", coder=beam.coders.BytesCoder()
    )


def _describe(artifact: Artifact) -> None:
    artifact.split_names = artifact_utils.encode_split_names([SPLIT_NAME])
    examples_utils.set_payload_format(
        artifact, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
    )
    examples_utils.set_file_format(artifact, "tfrecords_gzip")
