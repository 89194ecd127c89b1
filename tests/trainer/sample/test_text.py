from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest

from trainer.sample import text as sample_text
from trainer.sample.config import MAX_SCENARIOS, MAX_TOPICS, SampleConfig
from trainer.sample.tables import LANGUAGES
from trainer.sample.text import Language
from trainer.sample.world import plant_world

both = pytest.mark.parametrize(
    "language", list(LANGUAGES.values()), ids=list(LANGUAGES)
)


def test_lists_are_read_across_lines() -> None:
    assert sample_text.words("red tent, mat,"
                             "stove") == ("red tent", "mat", "stove")


@both
def test_there_is_a_vocabulary_for_every_topic(language: Language) -> None:
    assert len(language.topics) == MAX_TOPICS
    for topic in language.topics:
        sizes = [len(topic.nouns), len(topic.features), len(topic.uses),
                 len(topic.brands)]
        assert sizes == [10, 4, 4, 4], topic.name
        assert "" not in topic.nouns + topic.features + topic.uses


@both
def test_topics_share_no_entry(language: Language) -> None:
    for one, other in combinations(language.topics, 2):
        entries = [
            set(t.nouns + t.features + t.uses + t.brands) for t in (one, other)
        ]
        assert not entries[0] & entries[1]
        assert one.category != other.category


def test_every_scenario_is_described_in_every_language() -> None:
    planted = plant_world(
        SampleConfig(scenarios=MAX_SCENARIOS), np.random.default_rng(0)
    )
    for language in LANGUAGES.values():
        assert list(language.scenarios) == planted.scenarios.names


@both
def test_titles_are_never_the_same(language: Language) -> None:
    draw, taken = random.Random(0), set[str]()
    topic = language.topics[0]
    texts = [
        sample_text.write_item(language, topic, draw, taken)
        for _ in range(2000)  # more than there are combinations
    ]
    texts += [
        sample_text.write_copy(language, texts[0], draw, taken)
        for _ in range(20)
    ]
    assert len({text.title for text in texts}) == 2020


@both
def test_a_copy_differs_in_its_title_only(language: Language) -> None:
    draw, taken = random.Random(0), set[str]()
    one = sample_text.write_item(language, language.topics[3], draw, taken)
    copy = sample_text.write_copy(language, one, draw, taken)
    assert copy.title != one.title
    assert one.title in copy.title
    assert (copy.description, copy.keywords, copy.brand) == (
        one.description, one.keywords, one.brand
    )


@both
def test_a_profile_names_both_interests(language: Language) -> None:
    draw = random.Random(0)
    for first, second in combinations(language.topics, 2):
        text = sample_text.write_profile(language, [first, second], draw)
        assert first.name in text
        assert second.name in text


def test_chinese_texts_are_chinese() -> None:
    draw = random.Random(0)
    language = LANGUAGES["zh"]
    for topic in language.topics:
        text = sample_text.write_item(language, topic, draw, set())
        assert not any(c.isascii() and c.isalpha() for c in text.description)
