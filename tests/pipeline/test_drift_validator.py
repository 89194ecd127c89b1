from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tables import compared, gated
from tfx.types import artifact_utils, channel, standard_artifacts

import schema
from pipeline.drift_validator import DriftValidator, find_drift, vanished_values


def statistics(**columns):
    frame = pd.DataFrame({"user_id": "u", "item_id": "i", **columns})
    return tfdv.generate_statistics_from_dataframe(frame)


def artifact_of(found, folder, span=0):
    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(["all"])
    artifact.span = span
    (folder / "Split-all").mkdir(parents=True)
    path = folder / "Split-all" / "FeatureStats.pb"
    path.write_bytes(found.SerializeToString())
    return artifact


def names_of(anomalies) -> dict[str, list[str]]:
    return {
        column: [reason.short_description for reason in info.reason]
        for column, info in anomalies.anomaly_info.items()
    }


HALVES = statistics(scenario=["home", "search"] * 50)
MOSTLY = statistics(scenario=["home"] * 90 + ["search"] * 10)
ONE = statistics(scenario=["home"] * 100)


def test_alike_spans_have_no_anomaly():
    assert not names_of(find_drift(HALVES, schema.load("events"), HALVES, None))


def test_nothing_to_compare_with_is_no_anomaly():
    assert not names_of(find_drift(ONE, schema.load("events"), None, None))


def test_shares_that_change_are_drift():
    found = find_drift(MOSTLY, schema.load("events"), HALVES, None)
    assert list(names_of(found)) == ["scenario"]


def test_requests_unlike_the_events_are_skew():
    found = find_drift(HALVES, schema.load("events"), None, MOSTLY)
    description = found.anomaly_info["scenario"].reason[0].description
    assert "training and serving" in description


@pytest.mark.parametrize(("rows", "vanished"), [(100, ["rare"]), (200, [])])
def test_a_value_of_one_percent_may_not_vanish(rows, vanished):
    before = statistics(scenario=["home"] * (rows - 1) + ["rare"])
    assert list(vanished_values(ONE, before, "scenario")) == vanished


def test_all_values_vanish_with_their_column():
    assert list(vanished_values(statistics(x=[1]), MOSTLY, "scenario")) == [
        "home", "search",
    ]


def test_rare_values_are_not_called_vanished_where_statistics_are_cut():
    many = statistics(scenario=[f"s{place}" for place in range(1_500)])
    assert not vanished_values(many, ONE, "scenario")


def test_a_vanished_value_is_named_beside_the_drift():
    found = find_drift(ONE, schema.load("events"), HALVES, None)
    assert names_of(found)["scenario"][-1] == "vanished_value"


def test_the_latest_other_span_is_the_previous_one(tmp_path):
    current = artifact_of(HALVES, tmp_path / "3", span=3)
    spans = [
        artifact_of(ONE, tmp_path / "1", span=1),
        current,
        artifact_of(HALVES, tmp_path / "2", span=2),
    ]
    drift = compared(current, "events", tmp_path, previous_statistics=spans)
    assert gated({"events_drift": drift}, tmp_path) == []


@pytest.mark.parametrize("previous", [[], None])
def test_the_first_span_passes(tmp_path, previous):
    others = {} if previous is None else {"previous_statistics": previous}
    current = artifact_of(HALVES, tmp_path / "1")
    drift = compared(current, "events", tmp_path, **others)
    assert gated({"events_drift": drift}, tmp_path) == []


def test_the_component_takes_what_is_given():
    chan = channel.Channel(type=standard_artifacts.ExampleStatistics)
    component = DriftValidator(
        chan, channel.Channel(type=standard_artifacts.Schema),
        previous_statistics=chan,
    )
    assert set(component.inputs) == {
        "statistics", "schema", "previous_statistics",
    }
    assert len(component.exec_properties["code_fingerprint"]) == 16


def test_numbers_drift_by_their_distribution():
    rng = np.random.default_rng(0)
    low, high = (
        statistics(rating=rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], 500, p=shares))
        for shares in ([0.6, 0.2, 0.1, 0.1, 0], [0, 0.1, 0.1, 0.2, 0.6])
    )
    assert list(names_of(find_drift(low, schema.load("events"), high, None)))
