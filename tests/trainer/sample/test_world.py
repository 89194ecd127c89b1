from __future__ import annotations

import numpy as np
import pytest

from trainer.sample.config import SampleConfig
from trainer.sample.world import World, draw_rows, plant_world


def plant(**fields: object) -> World:
    config = SampleConfig(**fields)  # type: ignore[arg-type]
    return plant_world(config, np.random.default_rng(5))


def test_rows_are_drawn_in_proportion_to_their_weights(
    rng: np.random.Generator,
) -> None:
    weights = np.tile([2.0, 0.0, 6.0], (40_000, 1))
    counts = np.bincount(draw_rows(weights, rng), minlength=3)
    # One quarter, nothing, three quarters; the spread is about 87.
    assert counts[1] == 0
    assert abs(counts[0] - 10_000) < 500


def test_popularity_within_a_topic_follows_the_zipf_law() -> None:
    catalogue = plant(items=30, topics=3, skew=2.0, cold_items=0).catalogue
    for topic in range(3):
        weight = np.sort(catalogue.weight[catalogue.topic == topic])[::-1]
        np.testing.assert_allclose(weight[:4], [1, 1 / 4, 1 / 9, 1 / 16])


def test_cold_items_have_the_asked_share_and_no_popularity() -> None:
    catalogue = plant(items=200, cold_items=0.1).catalogue
    assert catalogue.is_cold.sum() == 20
    assert (catalogue.weight[catalogue.is_cold] == 0).all()
    assert (catalogue.weight[~catalogue.is_cold] > 0).all()


@pytest.mark.parametrize("items", [1, 2, 11, 12, 13, 50, 99])
def test_every_topic_of_a_small_catalogue_has_a_warm_item(items: int) -> None:
    catalogue = plant(items=items, cold_items=0.9).catalogue
    warm = set(catalogue.topic[~catalogue.is_cold])
    assert warm == set(range(min(items, 12)))


def test_near_duplicates_share_the_topic_of_an_original() -> None:
    catalogue = plant(items=300, near_duplicates=0.2).catalogue
    copies = np.flatnonzero(catalogue.copy_of >= 0)
    originals = catalogue.copy_of[copies]
    assert len(copies) == 60
    assert (catalogue.topic[copies] == catalogue.topic[originals]).all()
    assert (catalogue.copy_of[originals] == -1).all()


def test_the_short_term_interest_is_outside_the_long_term_mix() -> None:
    people = plant(users=500).people
    warm = ~people.is_cold
    outside = people.long_term[warm] != people.short_term[warm, None]
    assert outside.all()


def test_a_cold_user_wants_what_the_long_term_mix_says() -> None:
    people = plant(users=500, cold_users=0.2).people
    assert people.is_cold.sum() == 100
    inside = people.long_term == people.short_term[:, None]
    assert inside[people.is_cold].any(axis=1).all()


def test_tastes_are_probabilities_led_by_the_long_term_mix() -> None:
    people = plant(users=50).people
    np.testing.assert_allclose(people.taste.sum(axis=1), 1)
    best = np.argsort(-people.taste, axis=1)[:, :2]
    assert (np.sort(best) == np.sort(people.long_term)).all()


def test_topics_lead_on_in_one_cycle() -> None:
    next_topic = plant(topics=7).next_topic
    visited, topic = [], 0
    for _ in range(7):
        topic = int(next_topic[topic])
        visited.append(topic)
    assert sorted(visited) == list(range(7))
    assert topic == 0


def test_scenarios_share_some_topics_and_favour_others() -> None:
    favour = plant(scenarios=4, topics=12).scenarios.favour
    assert [(row > 1).sum() for row in favour] == [3, 3, 3, 3]
    assert (favour == 1).sum(axis=1).min() == 9


def test_event_types_of_a_scenario_are_probabilities() -> None:
    scenarios = plant(scenarios=6).scenarios
    for table in (scenarios.type_if_fit, scenarios.type_if_misfit):
        np.testing.assert_allclose(table.sum(axis=1), 1)


def test_ids_do_not_follow_topic_or_popularity() -> None:
    catalogue = plant(items=600, topics=2).catalogue
    number = [int(item[1:]) for item in catalogue.ids]
    correlation = np.corrcoef(number, np.arange(600))[0, 1]
    assert len(set(catalogue.ids)) == 600
    assert abs(correlation) < 0.2
