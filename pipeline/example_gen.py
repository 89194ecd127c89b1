"""TableExampleGen: files of a table to Parquet that all components read.

Its driver is TFX's: {SPAN}, {VERSION} and {YYYY}{MM}{DD} in the pattern, and
ranges of spans.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from apache_beam.io.filesystems import FileSystems
from google.protobuf import wrappers_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor, executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.types.standard_component_specs import (
    CUSTOM_CONFIG_KEY,
    EXAMPLES_KEY,
    INPUT_BASE_KEY,
    INPUT_CONFIG_KEY,
)
from tfx.utils import proto_utils

from pipeline.fingerprint import CODE_FINGERPRINT, source_fingerprint
from pipeline.ingest import CopyTable, anomaly_of
from pipeline.reading import INGEST_FILE
from pipeline.table_files import match_files, read_columns
from schema import features
from trainer.anomalies import Anomaly, DataError, table_error
from trainer.tables.columns import column_errors, unused_columns

SPLIT_NAME = "all"
ROWS = "rows"  # custom property: rows of the artifact, malformed ones too
_SOURCES = (
    "pipeline.example_gen", "pipeline.example_tables", "pipeline.ingest",
    "pipeline.list_columns", "pipeline.table_batches", "pipeline.table_files",
    "schema", "trainer.tables",
)
_BIGQUERY = "bigquery:"  # starts a source that is a query
_PATTERN_SIGNS = "*?[{"
_LOG = logging.getLogger(__name__)


def _check_columns(paths: list[str], table: str) -> list[str]:
    """Columns of all files; each file has the required ones."""
    errors: list[Anomaly] = []
    found: list[str] = []
    for path in paths:
        try:
            columns = read_columns(path, table)
        except DataError as error:
            errors += error.anomalies
            continue
        errors += column_errors(table, columns, Path(path))
        found += columns
    if errors:
        raise DataError(errors, f"The table {table} cannot be read.")
    columns = list(dict.fromkeys(found))
    if table != features.USERS:
        for note in unused_columns(table, columns, features.COLUMNS[table]):
            _LOG.info(note)
    return columns


class TableExampleGenExecutor(base_beam_executor.BaseBeamExecutor):
    """Checks the columns of all files, then copies their rows."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes parts of the split "all".

        Raises:
            DataError: if there is no file or no row, a column is missing, or
                a file cannot be read.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        table = _settings(exec_properties)["table"]
        paths = _input_files(exec_properties, table)
        columns = _check_columns(paths, table)
        artifact = artifact_utils.get_single_instance(output_dict[EXAMPLES_KEY])
        artifact.split_names = artifact_utils.encode_split_names([SPLIT_NAME])
        folder = artifact_utils.get_split_uri([artifact], SPLIT_NAME)
        if not FileSystems.exists(folder):
            FileSystems.mkdirs(folder)
        summary_path = os.path.join(artifact.uri, INGEST_FILE)
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | CopyTable(
                paths, folder, summary_path, table=table, columns=columns
            )
        _finish(artifact, summary_path, table)


def _settings(exec_properties: dict[str, Any]) -> dict[str, str]:
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[CUSTOM_CONFIG_KEY], config)
    text = wrappers_pb2.StringValue()
    config.custom_config.Unpack(text)
    settings: dict[str, str] = json.loads(text.value)
    return settings


def _input_files(exec_properties: dict[str, Any], table: str) -> list[str]:
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[INPUT_CONFIG_KEY], config)
    base = exec_properties[INPUT_BASE_KEY]
    patterns = [os.path.join(base, split.pattern) for split in config.splits]
    paths = match_files(patterns)
    if not paths:
        remedy = f"no file {', '.join(patterns)}; check the pattern."
        raise DataError([table_error("missing_table", table, remedy)])
    return paths


def _finish(artifact: Artifact, summary_path: str, table: str) -> None:
    """Sets the artifact's properties by what Beam's workers found."""
    with FileSystems.open(summary_path) as file:
        summary = json.loads(file.read())
    anomalies = [anomaly_of(values) for values in summary["anomalies"]]
    is_empty = not summary["rows"] and not anomalies
    if is_empty and table in features.REQUIRED_TABLES:
        remedy = "there are column names and no rows; add rows."
        anomalies.append(table_error("empty_table", table, remedy))
    if anomalies:
        raise DataError(anomalies, f"The table {table} cannot be read.")
    artifact.set_int_custom_property(ROWS, summary["rows"])
    examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_PARQUET)
    examples_utils.set_file_format(artifact, "FILE_FORMAT_PARQUET")


def _one_split() -> example_gen_pb2.Output:
    split = example_gen_pb2.SplitConfig.Split(name=SPLIT_NAME, hash_buckets=1)
    return example_gen_pb2.Output(
        split_config=example_gen_pb2.SplitConfig(splits=[split])
    )


class TableExampleGen(FileBasedExampleGen):
    """Ingests one table: CSV, Parquet, TFRecord of tf.Example or Avro."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(TableExampleGenExecutor)

    def __init__(
        self,
        table: str,
        *,
        input_base: str,
        pattern: str,
        range_config: range_config_pb2.RangeConfig | None = None,
    ) -> None:
        """Names the files.

        Args:
            table: name of the table.
            input_base: folder that the pattern starts from.
            pattern: of files, with {SPAN}, {VERSION} or {YYYY}{MM}{DD}.
            range_config: which spans; the latest unless given.
        """
        settings = json.dumps({
            "table": table,
            CODE_FINGERPRINT: source_fingerprint(*_SOURCES),
        })
        config = example_gen_pb2.CustomConfig()
        config.custom_config.Pack(wrappers_pb2.StringValue(value=settings))
        split = example_gen_pb2.Input.Split(name=SPLIT_NAME, pattern=pattern)
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(splits=[split]),
            output_config=_one_split(),
            custom_config=config,
            range_config=range_config,
            output_data_format=example_gen_pb2.FORMAT_PARQUET,
            output_file_format=example_gen_pb2.FILE_FORMAT_PARQUET,
        )


def split_pattern(source: str) -> tuple[str, str]:
    """The folder of a path that holds no sign of a pattern, and the rest.

    Example:
        >>> split_pattern("gs://logs/events/{SPAN}/part-*.csv")
        ('gs://logs/events', '{SPAN}/part-*.csv')
    """
    first = min(
        (source.index(sign) for sign in _PATTERN_SIGNS if sign in source),
        default=len(source),
    )
    base, _, _ = source[:first].rpartition("/")
    return base, source[len(base) + 1 :] if base else source


def table_example_gen(
    table: str,
    source: str,
    *,
    data_dir: str = "",
    range_config: range_config_pb2.RangeConfig | None = None,
) -> Any:
    """The generator for a source.

    Args:
        table: name of the table.
        source: pattern of files, from `data_dir` unless it is absolute; or
            "bigquery:SELECT ...", for TFX's BigQueryExampleGen, whose
            tf.Examples ReadTable reads too. Its query names the columns of
            the contract, may hold @span_begin_timestamp, and needs
            --project and --temp_location among the Beam arguments.
        data_dir: folder of the tables.
        range_config: which spans; the latest unless given.
    """
    if source.startswith(_BIGQUERY):
        from tfx.extensions.google_cloud_big_query.example_gen import component

        generator = component.BigQueryExampleGen(
            query=source.removeprefix(_BIGQUERY).strip(),
            output_config=_one_split(),
            range_config=range_config,
        )
    else:
        base, pattern = split_pattern(os.path.join(data_dir, source))
        generator = TableExampleGen(
            table, input_base=base, pattern=pattern, range_config=range_config
        )
    return generator.with_id(f"{table}_gen")
