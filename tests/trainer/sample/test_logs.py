from __future__ import annotations

from trainer.sample.config import SampleConfig
from trainer.sample.logs import generate


def test_another_seed_gives_another_log() -> None:
    one, two = (
        generate(SampleConfig(users=50, items=50, seed=seed)).tables["events"]
        for seed in (0, 1)
    )
    assert one["timestamp"] != two["timestamp"]


def test_the_language_changes_words_and_not_behaviour() -> None:
    english, chinese = (
        generate(SampleConfig(users=50, items=50, language=language))
        for language in ("en", "zh")
    )
    for column in ("user_id", "item_id", "timestamp", "rating"):
        assert (
            english.tables["events"][column]
            == chinese.tables["events"][column]
        )
    assert (
        english.tables["items"]["title"] != chinese.tables["items"]["title"]
    )


def test_the_smallest_sample_has_one_user_item_topic_and_scenario() -> None:
    made = generate(
        SampleConfig(users=1, items=1, topics=1, scenarios=1)
    )
    assert set(made.tables["events"]["scenario"]) == {"home"}
    assert made.truth["topics"] == [
        {"name": "camping", "category": "Outdoors > Camping", "next": 0}
    ]
