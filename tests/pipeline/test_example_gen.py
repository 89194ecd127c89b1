from __future__ import annotations

import pytest
from tables import ingest
from tfx.components.example_gen.driver import FileBasedDriver
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.utils import proto_utils

from pipeline.example_gen import (
    TableExampleGen,
    split_pattern,
    table_example_gen,
)
from trainer.anomalies import DataError

ROWS = "user_id,item_id,timestamp\na,b,1\n"


@pytest.fixture
def ingest_events(tmp_path):
    def write_and_ingest(*texts: str):
        for place, text in enumerate(texts):
            (tmp_path / f"events-{place}.csv").write_text(text)
        return ingest(tmp_path, "events-*.csv", "events", tmp_path / "out")

    return write_and_ingest


def names_of(error) -> list[str]:
    return [str(a).split(": ")[1:3] for a in error.value.anomalies]


def test_the_artifact_says_what_it_holds(ingest_events):
    artifact = ingest_events(ROWS, ROWS)
    assert artifact.get_int_custom_property("rows") == 2
    assert artifact.split_names == '["all"]'
    assert examples_utils.get_payload_format(artifact) == (
        example_gen_pb2.FORMAT_PARQUET
    )


def test_a_missing_column_is_named_with_the_nearest_one(ingest_events):
    text = ROWS.replace("user_id", "userId")
    with pytest.raises(DataError, match="is it 'userId'") as error:
        ingest_events(ROWS, text)
    assert names_of(error) == [["events.user_id", "missing_column"]]


def test_faults_of_all_files_are_told_at_once(ingest_events):
    with pytest.raises(DataError) as error:
        ingest_events("", "user_id,item_id\n")
    assert names_of(error) == [
        ["events", "empty_file"], ["events.timestamp", "missing_column"],
    ]


def test_a_fault_that_only_reading_shows_is_named(tmp_path, ingest_events):
    import gzip

    whole = gzip.compress((ROWS + "a,b,3\n" * 200_000).encode())
    (tmp_path / "events-9.csv").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError) as error:
        ingest_events(ROWS)
    assert names_of(error) == [["events", "truncated_gzip"]]


def test_a_table_without_rows_is_named(ingest_events):
    with pytest.raises(DataError) as error:
        ingest_events("user_id,item_id,timestamp\n")
    assert names_of(error) == [["events", "empty_table"]]


def test_a_column_of_ours_is_refused(ingest_events):
    with pytest.raises(DataError) as error:
        ingest_events("user_id,item_id,timestamp,_row\na,b,1,1\n")
    assert names_of(error) == [["events._row", "reserved_column"]]


def test_no_file_is_named(ingest_events):
    with pytest.raises(DataError) as error:
        ingest_events()
    assert names_of(error) == [["events", "missing_table"]]


def test_the_driver_finds_spans(tmp_path):
    for span in ("1", "2"):
        (tmp_path / span).mkdir()
        (tmp_path / span / "events.csv").write_text(ROWS)
    component = table_example_gen(
        "events", "{SPAN}/events.csv", data_dir=str(tmp_path),
        range_config=range_config_pb2.RangeConfig(
            static_range=range_config_pb2.StaticRange(
                start_span_number=1, end_span_number=1
            )
        ),
    )
    properties = FileBasedDriver(None).resolve_exec_properties(
        dict(component.exec_properties), None, None
    )
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(properties["input_config"], config)
    assert config.splits[0].pattern == "1/events.csv"
    assert (component.id, properties["span"]) == ("events_gen", 1)


def test_the_properties_change_with_the_table_alone(tmp_path):
    first, second, other = (
        TableExampleGen(name, input_base="/data", pattern="t.csv")
        for name in ("events", "events", "items")
    )
    assert first.exec_properties == second.exec_properties
    assert first.exec_properties != other.exec_properties
    assert "code_fingerprint" in first.exec_properties["custom_config"]


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("/data/events.csv", ("/data", "events.csv")),
        ("/data/{SPAN}/events-*.csv", ("/data", "{SPAN}/events-*.csv")),
        ("gs://b/day={YYYY}{MM}{DD}/*", ("gs://b", "day={YYYY}{MM}{DD}/*")),
        ("events.csv", ("", "events.csv")),
    ],
)
def test_a_source_is_a_folder_and_a_pattern(source, parts):
    assert split_pattern(source) == parts


def test_a_query_goes_to_bigquery():
    pytest.importorskip("google.cloud.bigquery")
    component = table_example_gen("items", "bigquery: SELECT 1 AS item_id")
    assert type(component).__name__ == "BigQueryExampleGen"
    assert component.id == "items_gen"
