"""What schema the rows of a table suggest, and how it differs from ours."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from pipeline.list_columns import as_lists, with_columns
from pipeline.statistics import stats_options
from pipeline.table_batches import EXTRA_COLUMNS, to_arrow
from pipeline.table_files import (
    default_pattern,
    match_files,
    read_blocks,
    read_columns,
)
from trainer.anomalies import DataError, table_error


def _batches(
    path: str, table: str, columns: list[str]
) -> Iterator[pa.RecordBatch]:
    for block in read_blocks(path, table):
        rows = with_columns(to_arrow(block), columns, table)
        yield from as_lists(rows.drop(list(EXTRA_COLUMNS))).to_batches()


def infer_schema(data_dir: str, table: str) -> schema_pb2.Schema:
    """The schema that a table's rows suggest.

    Args:
        data_dir: folder of the tables, on any file system.
        table: name of the table.

    Raises:
        DataError: if the table is not there or its columns cannot be read.
    """
    pattern = default_pattern(table, data_dir)
    if pattern is None:
        remedy = f"there is no such table in {data_dir}; check --data-dir."
        raise DataError([table_error("missing_table", table, remedy)])
    paths = match_files([os.path.join(data_dir, pattern)])
    columns = dict.fromkeys(
        name for path in paths for name in read_columns(path, table)
    )
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, "statistics.pb")
        with beam.Pipeline() as pipeline:
            _ = (
                pipeline
                | beam.Create(paths)
                | beam.FlatMap(_batches, table, list(columns))
                | tfdv.GenerateStatistics(stats_options())
                | tfdv.WriteStatisticsToBinaryFile(output)
            )
        statistics = tfdv.load_stats_binary(output)
    return tfdv.infer_schema(statistics, infer_feature_shape=False)


def _values(
    schema: schema_pb2.Schema, feature: schema_pb2.Feature
) -> list[str]:
    if feature.HasField("string_domain"):
        return list(feature.string_domain.value)
    return [
        value
        for domain in schema.string_domain
        if domain.name == feature.domain
        for value in domain.value
    ]


def _feature_differences(
    proposed: tuple[schema_pb2.Schema, schema_pb2.Feature],
    curated: tuple[schema_pb2.Schema, schema_pb2.Feature],
) -> Iterator[str]:
    found, wanted = proposed[1], curated[1]
    if found.type != wanted.type:
        kinds = schema_pb2.FeatureType
        yield (
            f"{found.name}: is {kinds.Name(found.type)} in the table and "
            f"{kinds.Name(wanted.type)} in the contract."
        )
    known = _values(*curated)
    unknown = [value for value in _values(*proposed) if value not in known]
    if known and unknown:
        shown = ", ".join(repr(value) for value in unknown[:10])
        yield f"{found.name}: holds values that the contract lacks: {shown}."
    is_always = found.presence.min_fraction == 1.0
    if wanted.presence.min_count and not is_always:
        yield f"{found.name}: is required and missing in some rows."


def differences(
    proposed: schema_pb2.Schema, curated: schema_pb2.Schema
) -> list[str]:
    """One sentence on each column where the table is unlike the contract."""
    found = {feature.name: feature for feature in proposed.feature}
    wanted = {feature.name: feature for feature in curated.feature}
    lines = [
        f"{name}: is not in the contract." for name in found.keys() - wanted
    ]
    lines += [
        f"{name}: is not in the table{', and required' * is_required}."
        for name, feature in wanted.items()
        if name not in found
        for is_required in [bool(feature.presence.min_count)]
    ]
    for name in found.keys() & wanted:
        lines += _feature_differences(
            (proposed, found[name]), (curated, wanted[name])
        )
    return sorted(lines)
