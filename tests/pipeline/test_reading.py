from __future__ import annotations

import json

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from apache_beam.testing.util import assert_that
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts

from pipeline.list_columns import as_lists
from pipeline.reading import INGEST_FILE, ReadTable
from pipeline.table_batches import to_arrow
from trainer.tables.raw_table import RawTable


def make_artifact(folder, span=0):
    artifact = standard_artifacts.Examples()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(["all"])
    artifact.set_int_custom_property("span", span)
    (folder / "Split-all").mkdir(parents=True)
    return artifact


def parquet_artifact(folder, files, span=0):
    """Of the user ids of each file, rows numbered in the file."""
    artifact = make_artifact(folder, span)
    examples_utils.set_payload_format(
        artifact, example_gen_pb2.FORMAT_PARQUET
    )
    offsets, rows = {}, 0
    for place, users in enumerate(files):
        name = f"part-{place:05d}-00000.parquet"
        columns = {"user_id": pa.array(users, pa.string())}
        raw = RawTable("events", columns, np.arange(1, len(users) + 1))
        pq.write_table(as_lists(to_arrow(raw)), folder / "Split-all" / name)
        offsets[name] = rows
        rows += len(users)
    (folder / INGEST_FILE).write_text(json.dumps({"offsets": offsets}))
    return artifact


def example_artifact(folder, files, span=0):
    artifact = make_artifact(folder, span)
    for place, users in enumerate(files):
        path = folder / "Split-all" / f"data-{place}.gz"
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for user in users:
                feature = tf.train.Feature()
                feature.bytes_list.value.append(user.encode())
                row = tf.train.Features(feature={"user_id": feature})
                writer.write(
                    tf.train.Example(features=row).SerializeToString()
                )
    return artifact


def check_rows(artifacts, expected):
    def check(batches):
        rows = [
            (row["_row"], row["user_id"])
            for batch in batches
            for row in batch.to_pylist()
        ]
        assert sorted(rows) == expected

    with beam.Pipeline() as pipeline:
        assert_that(pipeline | ReadTable(artifacts, "events"), check)


def test_rows_count_on_over_files_and_spans(tmp_path):
    later = parquet_artifact(tmp_path / "2", [["c"], ["d"]], span=2)
    earlier = parquet_artifact(tmp_path / "1", [["a", "b"]], span=1)
    check_rows(
        [later, earlier], [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    )


def test_examples_are_read_beside_parquet_and_numbered_on(tmp_path):
    check_rows(
        [
            parquet_artifact(tmp_path / "1", [["a"]], span=1),
            example_artifact(tmp_path / "2", [["b", "c"], ["d"]], span=2),
            parquet_artifact(tmp_path / "3", [["e"]], span=3),
        ],
        [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")],
    )
