from __future__ import annotations

import pytest

import schema
from schema import features

TABLES = ["events", "items", "users", "scenarios"]


def feature_of(table: str, name: str):
    return next(f for f in schema.load(table).feature if f.name == name)


@pytest.mark.parametrize("table", TABLES)
def test_protos_and_constants_name_the_same_columns(table):
    names = tuple(feature.name for feature in schema.load(table).feature)
    assert names == features.COLUMNS[table]


@pytest.mark.parametrize("table", TABLES)
def test_protos_and_constants_require_the_same_columns(table):
    required = tuple(
        feature.name
        for feature in schema.load(table).feature
        if feature.presence.min_count
    )
    assert required == features.REQUIRED_COLUMNS[table]


def test_protos_and_constants_list_the_same_event_types():
    domain = feature_of("events", "event_type").string_domain
    assert tuple(domain.value) == features.EVENT_TYPES


def test_protos_and_constants_list_the_same_splits():
    domain = feature_of("events", "split").string_domain
    names = {*features.SPLITS, *features.SPLIT_ALIASES}
    assert set(domain.value) == names


def test_event_types_are_ordered_by_strength_within_0_and_1():
    strengths = list(features.EVENT_STRENGTHS.values())
    assert strengths == sorted(strengths)
    assert 0 < strengths[0] and strengths[-1] == 1


def test_the_default_event_type_is_one_of_them():
    assert features.DEFAULT_EVENT_TYPE in features.EVENT_TYPES


def test_an_unknown_schema_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="catalogue, events, items, scenarios"):
        schema.load("event")


@pytest.mark.parametrize("table", ["events", "items"])
def test_training_and_serving_are_environments(table):
    loaded = schema.load(table)
    assert set(loaded.default_environment) == {"TRAINING", "SERVING"}


def test_what_only_logs_know_is_not_there_when_serving():
    loaded = schema.load("events")
    assert {
        feature.name
        for feature in loaded.feature
        if "SERVING" in feature.not_in_environment
    } == {"rating", "split"}
