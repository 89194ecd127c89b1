"""From tables to codes, labels and profiles."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from event_tables import make_dataset, make_events

from trainer.behaviour import TRAIN
from trainer.config import DataConfig, RunConfig
from trainer.prepare import LabelScale, Prepared, prepare
from trainer.tables import Dataset, Items, Users
from trainer.text_config import TextConfig

COLUMN = RunConfig(data=DataConfig(split="column", validation_share=0.0))
TRAIN_THEN_TEST = ["train", "train", "train", "test"]


def dataset(**columns: list) -> Dataset:
    """One user with three train events and a test event."""
    events = make_events(
        user=[0] * 4, timestamp=[1, 2, 3, 4], split=TRAIN_THEN_TEST,
        **{"item": [3, 1, 3, 5], **columns},
    )
    return make_dataset(events)


def prepared(**columns: list) -> Prepared:
    return prepare(dataset(**columns), COLUMN)


def test_items_are_in_vocabulary_codes() -> None:
    found = prepared()
    assert found.catalogue.item_ids == ["i3", "i1", "i5", "i4", "i2", "i0"]
    assert found.sequences.item.tolist() == [0, 1, 0, 2]


def test_event_types_are_coded_from_one_by_frequency() -> None:
    # Two purchases, one view; a click is in the test split alone.
    found = prepared(event_type=[2, 0, 2, 1])
    assert found.event_types == ["purchase", "view"]
    assert found.sequences.event_type.tolist() == [1, 2, 1, 0]


def test_scenarios_are_coded_from_one_by_frequency() -> None:
    found = prepared(scenario=[1, 1, 0, 1])
    assert found.scenarios == ["search page", "home"]
    assert found.sequences.scenario.tolist() == [1, 1, 2, 1]


def test_a_table_without_scenarios_has_the_unknown_one() -> None:
    data = dataset()
    events = dataclasses.replace(data.events, scenarios=[""])
    found = prepare(make_dataset(events), COLUMN)
    assert found.scenarios == []
    assert found.sequences.scenario.tolist() == [0, 0, 0, 0]


def test_ratings_are_scaled_by_the_range_of_train_ratings() -> None:
    found = prepared(rating=[2.0, np.nan, 4.0, 5.0])
    assert found.label_scale == LabelScale("rating", 2.0, 4.0)
    np.testing.assert_allclose(found.labels, [0, np.nan, 1, 1.5])
    assert found.labels.dtype == np.float32


def test_ratings_that_are_all_equal_tell_nothing() -> None:
    found = prepared(rating=[3.0, 3.0, np.nan, 1.0])
    assert found.label_scale.kind == "none"
    assert np.isnan(found.labels).all()


def test_event_strength_is_the_label_where_there_are_no_ratings() -> None:
    # A view says 0.1, a purchase 1.0; the click is unknown to training.
    found = prepared(event_type=[2, 0, 2, 1], rating=[np.nan] * 4)
    assert found.label_scale == LabelScale("strength", 0.0, 1.0)
    np.testing.assert_allclose(found.labels, [1.0, 0.1, 1.0, np.nan])


def test_one_event_type_is_no_label() -> None:
    found = prepared(event_type=[1, 1, 1, 0])
    assert found.label_scale.kind == "none"
    assert np.isnan(found.labels).all()


def test_an_event_type_of_unknown_strength_has_no_label() -> None:
    data = dataset(event_type=[2, 0, 2, 2])
    types = ["hover", "click", "purchase"]
    events = dataclasses.replace(data.events, event_types=types)
    found = prepare(make_dataset(events), COLUMN)
    np.testing.assert_allclose(found.labels, [1.0, np.nan, 1.0, 1.0])


def test_a_scale_goes_there_and_back() -> None:
    scale = LabelScale("rating", 1.0, 5.0)
    assert scale.scale(np.array([1.0, 2.0, 5.0])).tolist() == [0, 0.25, 1]
    assert scale.unscale(np.array([0, 0.25, 1])).tolist() == [1, 2, 5]
    assert np.isnan(scale.scale(np.array([np.nan]))).all()


def test_equal_profiles_are_one_text_and_row_zero_is_nobody() -> None:
    events = make_events(
        user=[0, 1, 2, 3, 0], timestamp=[1, 1, 1, 1, 2], item=[0] * 5
    )
    users = Users(["u3", "u0", "u2"], ["likes tea", "likes tea", ""])
    config = RunConfig(data=DataConfig(split="leave_one_out"))
    found = prepare(make_dataset(events, users=users), config)
    assert found.profile_texts == ["", "likes tea"]
    assert found.profile_of.tolist() == [1, 0, 0, 1]


def test_the_span_is_that_of_the_train_events() -> None:
    events = make_events(
        user=[1, 0, 0, 1], timestamp=[30, 20, 99, 10],
        item=[0] * 4, split=["train", "train", "test", "train"],
    )
    found = prepare(make_dataset(events), COLUMN)
    assert found.span == (10, 30)


def test_spaces_around_the_names_of_text_columns_are_fine() -> None:
    config = RunConfig(
        data=COLUMN.data, text=TextConfig(text_columns="title , brand")
    )
    items = Items(
        [f"i{row}" for row in range(6)],
        {"brand": ["Zig"] * 6, "title": ["Kite"] * 6},
    )
    found = prepare(make_dataset(dataset().events, items), config)
    assert set(found.catalogue.texts) == {"Kite. Zig"}


def test_nothing_to_train_on_is_an_error_that_names_the_split() -> None:
    events = make_events(user=[0, 1], timestamp=[5, 5], item=[0, 0])
    config = RunConfig(data=DataConfig(split="time"))
    with pytest.raises(ValueError, match="--split time leaves no train"):
        prepare(make_dataset(events), config)


def test_one_user_of_one_event_can_be_prepared() -> None:
    events = make_events(user=[0], timestamp=[5], item=[2])
    config = RunConfig(data=DataConfig(split="leave_one_out"))
    found = prepare(make_dataset(events), config)
    assert found.sequences.split.tolist() == [TRAIN]
    assert found.catalogue.counts.tolist() == [1, 0, 0, 0, 0, 0]
