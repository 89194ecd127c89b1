from __future__ import annotations

import pytest
from tables import gated
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import artifact_utils, channel, standard_artifacts

from pipeline.data_gate import DataGate, named_anomalies
from trainer.anomalies import DataError


def found_by(column="", **kinds) -> anomalies_pb2.Anomalies:
    """Anomalies of one column, of the data set without one."""
    anomalies = anomalies_pb2.Anomalies()
    info = (
        anomalies.anomaly_info[column]
        if column
        else anomalies.dataset_anomaly_info
    )
    for kind, description in kinds.items():
        number = anomalies_pb2.AnomalyInfo.Type.Value(kind)
        info.reason.add(type=number, description=description)
    return anomalies


def artifact_of(anomalies, folder):
    artifact = standard_artifacts.ExampleAnomalies()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(["all"])
    (folder / "Split-all").mkdir(parents=True)
    path = folder / "Split-all" / "SchemaDiff.pb"
    path.write_bytes(anomalies.SerializeToString())
    return artifact


NEW = found_by("mood", SCHEMA_NEW_COLUMN="New column")
MISSING = found_by("user_id", FEATURE_TYPE_LOW_FRACTION_PRESENT="too few.")
DRIFT = found_by("scenario", COMPARATOR_L_INFTY_HIGH="is 0.4.")


def names_of(anomalies, table="events"):
    return [(a.name, a.severity) for a in named_anomalies(anomalies, table)]


def test_unknown_columns_are_notes_and_describe_users():
    assert names_of(NEW) == [("unknown_column", "note")]
    assert names_of(NEW, "users") == []


def test_our_own_columns_are_known():
    assert names_of(found_by("_row", SCHEMA_NEW_COLUMN="New column")) == []


def test_skew_is_told_from_drift():
    skew = found_by(
        "scenario", COMPARATOR_L_INFTY_HIGH="between training and serving"
    )
    assert names_of(skew) == [("skew", "error")]
    assert names_of(DRIFT) == [("drift", "error")]


def test_the_number_of_rows_is_of_the_whole_table():
    rows = found_by(COMPARATOR_HIGH_NUM_EXAMPLES="The ratio is 2.")
    (anomaly,) = named_anomalies(rows, "items")
    assert str(anomaly).startswith("error: items: row_count_drift: The ratio")


def test_a_kind_without_a_name_of_ours_is_an_error_by_its_own():
    assert names_of(found_by("rating", FLOAT_TYPE_HAS_NAN="nan")) == [
        ("float_type_has_nan", "error")
    ]


def test_notes_let_a_run_pass_and_are_written(tmp_path):
    artifact = artifact_of(NEW, tmp_path / "new")
    review = gated({"events_anomalies": artifact}, tmp_path)
    assert [(a["name"], a["table"], a["column"]) for a in review] == [
        ("unknown_column", "events", "mood")
    ]


def test_a_closed_gate_names_every_anomaly_of_every_table(tmp_path):
    inputs = {
        "events_anomalies": artifact_of(MISSING, tmp_path / "1"),
        "users_anomalies": artifact_of(MISSING, tmp_path / "2"),
        "events_drift": artifact_of(DRIFT, tmp_path / "3"),
        "items_anomalies": artifact_of(NEW, tmp_path / "4"),
    }
    with pytest.raises(DataError) as error:
        gated(inputs, tmp_path)
    assert [
        (a.name, a.table, a.column) for a in error.value.anomalies
    ] == [
        ("missing_values", "events", "user_id"),
        ("unknown_column", "items", "mood"),
        ("missing_values", "users", "user_id"),
        ("drift", "events", "scenario"),
    ]


def test_drift_can_be_allowed(tmp_path):
    inputs = {"events_drift": artifact_of(DRIFT, tmp_path / "1")}
    (anomaly,) = gated(inputs, tmp_path, allow_drift=True)
    assert (anomaly["name"], anomaly["severity"]) == ("drift", "note")


def test_faults_cannot_be_allowed(tmp_path):
    inputs = {"events_anomalies": artifact_of(MISSING, tmp_path / "1")}
    with pytest.raises(DataError):
        gated(inputs, tmp_path, allow_drift=True)


def test_the_component_has_an_input_for_each_table():
    chan = channel.Channel(type=standard_artifacts.ExampleAnomalies)
    component = DataGate({"events": chan, "items": chan}, drift={"items": chan})
    assert set(component.inputs) == {
        "events_anomalies", "items_anomalies", "items_drift",
    }
    assert component.exec_properties["allow_drift"] == 0
