from __future__ import annotations

import json

from trainer.sample.config import SampleConfig
from trainer.sample.logs import generate


def test_the_truth_names_the_target_of_every_user() -> None:
    made = generate(SampleConfig(users=200, items=100))
    events = made.tables["events"]
    last = {
        user: (item, scenario)
        for user, item, scenario in zip(
            events["user_id"], events["item_id"], events["scenario"],
            strict=True,
        )
    }
    topics = made.item_topics()
    assert made.truth["targets"] == {
        user: {"item": item, "topic": topics[item], "scenario": scenario}
        for user, (item, scenario) in last.items()
    }


def test_the_truth_counts_users_with_one_event() -> None:
    made = generate(SampleConfig(users=200, items=100, cold_users=0.5))
    users = made.tables["events"]["user_id"]
    single = sum(users.count(user) == 1 for user in set(users))
    assert single > 20
    assert made.truth["counts"]["single_event_users"] == single


def test_the_truth_survives_json() -> None:
    truth = generate(SampleConfig(users=20, items=30)).truth
    assert json.loads(json.dumps(truth)) == truth


def test_the_truth_tells_cold_items_and_users() -> None:
    made = generate(SampleConfig(users=200, items=100))
    cold = {
        kind: {name for name, facts in made.truth[kind].items()
               if facts["is_cold"]}
        for kind in ("items", "users")
    }
    events = made.tables["events"]
    trained = [split == "train" for split in events["split"]]
    assert cold["items"] == made.cold_items()
    assert len(cold["items"]) == len(cold["users"]) == 10
    for kind, column in (("items", "item_id"), ("users", "user_id")):
        in_train = {
            name
            for name, is_train in zip(events[column], trained, strict=True)
            if is_train
        }
        assert not cold[kind] & in_train
