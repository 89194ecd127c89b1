from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest

from schema import features
from trainer.sample import Sample, generate
from trainer.sample.config import FIRST_MOMENT, SampleConfig
from trainer.sample.tables import LANGUAGES


@pytest.fixture(scope="module", params=["en", "zh"])
def sample(request: pytest.FixtureRequest) -> Sample:
    return generate(SampleConfig(users=400, items=300, language=request.param))


def test_tables_have_the_columns_of_the_contract(sample: Sample) -> None:
    for name, table in sample.tables.items():
        known = features.COLUMNS[name]
        assert set(table) <= set(known)
        assert set(features.REQUIRED_COLUMNS[name]) <= set(table)
        assert len({len(values) for values in table.values()}) == 1


def test_every_event_is_of_a_known_user_item_and_scenario(
    sample: Sample,
) -> None:
    events, tables = sample.tables["events"], sample.tables
    assert set(events["user_id"]) == set(tables["users"]["user_id"])
    assert set(events["item_id"]) <= set(tables["items"]["item_id"])
    assert set(events["scenario"]) <= set(tables["scenarios"]["scenario"])
    assert set(events["event_type"]) == {"view", "click", "cart", "purchase"}


def terms(text: str) -> Counter[str]:
    """Words, and pairs of neighbouring Chinese characters."""
    text = text.lower()
    chinese = re.findall(r"(?=([\u4e00-\u9fff]{2}))", text)
    return Counter(re.findall(r"[a-z]+", text) + chinese)


def cosine(one: Counter[str], other: Counter[str]) -> float:
    dot = sum(count * other[term] for term, count in one.items())
    sizes = [math.hypot(*bag.values()) for bag in (one, other)]
    return dot / (sizes[0] * sizes[1])


def nearest_topics(
    sample: Sample, texts: dict[str, str], learnt: set[str]
) -> dict[str, int]:
    """Topic of the nearest bag-of-words centroid of the learnt items."""
    topic_of = sample.item_topics()
    centroids: dict[int, Counter[str]] = {}
    for item in sorted(learnt):
        bag = centroids.setdefault(topic_of[item], Counter())
        bag.update(terms(texts[item]))
    return {
        item: max(centroids, key=lambda t: cosine(terms(text), centroids[t]))
        for item, text in texts.items()
        if item not in learnt
    }


@pytest.mark.parametrize("columns", [["title"], ["title", "description"]])
def test_the_text_of_a_cold_item_reveals_its_topic(
    sample: Sample, columns: list[str]
) -> None:
    items, topic_of = sample.tables["items"], sample.item_topics()
    rows = zip(*(items[column] for column in columns), strict=True)
    texts = dict(zip(items["item_id"], map(" ".join, rows), strict=True))
    found = nearest_topics(sample, texts, set(texts) - sample.cold_items())
    hits = [topic_of[item] == topic for item, topic in found.items()]
    assert len(hits) == 30
    assert np.mean(hits) >= 0.95


def test_only_text_reveals_the_topic_of_a_cold_item(sample: Sample) -> None:
    items, cold = sample.tables["items"], sample.cold_items()
    for item, category, brand in zip(
        items["item_id"], items["categories"], items["brand"], strict=True
    ):
        if item in cold:
            assert (category, brand) == ("", "")
        else:
            assert category.count(" > ") == 1


def test_no_event_comes_before_its_item_is_available(sample: Sample) -> None:
    items, events = sample.tables["items"], sample.tables["events"]
    opened = dict(
        zip(items["item_id"], items["available_from"], strict=True)
    )
    for item, moment in zip(
        events["item_id"], events["timestamp"], strict=True
    ):
        assert opened[item] <= moment
    warm = set(opened) - sample.cold_items()
    assert max(opened[item] for item in warm) < FIRST_MOMENT


def test_near_duplicates_have_nearly_the_same_title(sample: Sample) -> None:
    items = sample.tables["items"]
    titles = dict(zip(items["item_id"], items["title"], strict=True))
    pairs = [
        (titles[item], titles[facts["copy_of"]])
        for item, facts in sample.truth["items"].items()
        if facts["copy_of"]
    ]
    assert len(pairs) == 6
    assert all(old in new and old != new for new, old in pairs)


def test_every_cold_user_has_a_profile_that_names_the_interests(
    sample: Sample,
) -> None:
    users = sample.tables["users"]
    names = [t.name for t in LANGUAGES[sample.config.language].topics]
    cold = 0
    for user, profile in zip(users["user_id"], users["profile"], strict=True):
        facts = sample.truth["users"][user]
        if facts["is_cold"]:
            cold += 1
            assert all(names[t] in profile for t in facts["long_term"])
    assert cold == 20


def test_some_users_have_no_profile(sample: Sample) -> None:
    blank = sample.tables["users"]["profile"].count("")
    assert 40 < blank < 120


def test_profiles_do_not_tell_the_short_term_interest(sample: Sample) -> None:
    users = sample.tables["users"]
    topics = LANGUAGES[sample.config.language].topics
    for user, profile in zip(users["user_id"], users["profile"], strict=True):
        facts = sample.truth["users"][user]
        if profile and facts["short_term"] not in facts["long_term"]:
            bag = profile.removesuffix(".")
            assert not any(
                noun in re.split(r"[,;。，从到]| to | a | from ", bag)
                for noun in topics[facts["short_term"]].nouns
            )


def test_queries_are_typed_in_search_only(sample: Sample) -> None:
    events = sample.tables["events"]
    for scenario, text in zip(events["scenario"], events["text"], strict=True):
        assert (scenario == "search") == bool(text)


def test_the_split_cuts_time_in_eight_one_one(sample: Sample) -> None:
    events = sample.tables["events"]
    spans: dict[str, list[int]] = {}
    for split, moment in zip(
        events["split"], events["timestamp"], strict=True
    ):
        spans.setdefault(split, []).append(moment)
    assert max(spans["train"]) < min(spans["validation"])
    assert max(spans["validation"]) < min(spans["test"])
    shares = [
        len(spans[name]) / len(events["split"])
        for name in ("train", "validation", "test")
    ]
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.002)
    assert sample.truth["spans"]["test_from"] == min(spans["test"])


def test_cold_items_are_not_in_the_train_span(sample: Sample) -> None:
    events, cold = sample.tables["events"], sample.cold_items()
    splits = {
        split
        for item, split in zip(events["item_id"], events["split"], strict=True)
        if item in cold
    }
    assert splits == {"test"}
