from __future__ import annotations

import numpy as np
import pytest

from trainer.sample import Sample, generate
from trainer.sample import oracle as sample_oracle
from trainer.sample.config import SampleConfig


@pytest.fixture(scope="module")
def sample() -> Sample:
    return generate(SampleConfig(users=800, items=240))


def read_histories(sample: Sample) -> dict[str, list[str]]:
    """Histories from the tables, the slow way."""
    events = sample.tables["events"]
    rows = sorted(
        zip(
            events["user_id"], events["timestamp"], events["position"],
            events["item_id"], strict=True,
        )
    )
    found: dict[str, list[str]] = {}
    for user, _, _, item in rows:
        found.setdefault(user, []).append(item)
    return found


def test_histories_are_those_of_the_events_table(sample: Sample) -> None:
    assert sample_oracle.histories(sample) == read_histories(sample)


def test_seen_items_are_never_recommended(sample: Sample) -> None:
    histories = read_histories(sample)
    for top_k in (
        sample_oracle.oracle_top_k, sample_oracle.popularity_top_k
    ):
        for user, items in top_k(sample, 10).items():
            assert len(items) == len(set(items)) == 10
            assert not set(items) & set(histories[user][:-1])


def test_popularity_counts_histories_without_targets(sample: Sample) -> None:
    counts: dict[str, int] = {}
    for items in read_histories(sample).values():
        for item in items[:-1]:
            counts[item] = counts.get(item, 0) + 1
    histories = read_histories(sample)
    for user, items in sample_oracle.popularity_top_k(sample, 5).items():
        seen = set(histories[user][:-1])
        left = sorted(counts[i] for i in set(counts) - seen)[::-1]
        assert [counts[item] for item in items] == left[:5]


def test_the_oracle_is_far_above_popularity(sample: Sample) -> None:
    oracle, popularity = (
        sample_oracle.recall(sample, top_k(sample, 10))
        for top_k in (
            sample_oracle.oracle_top_k, sample_oracle.popularity_top_k
        )
    )
    assert oracle > 3 * popularity
    assert oracle > 0.5


def test_the_oracles_expected_recall_is_what_it_gets() -> None:
    # Without repeats, focus 1 and a flat law: the target is one of the unseen
    # items of the short-term topic, each as likely.
    sample = generate(
        SampleConfig(
            users=3000, items=240, focus=1.0, skew=0.0, repeats=0.0,
            cold_items=0.0, cold_users=0.0,
        )
    )
    topic = sample.item_topics()
    sizes = np.bincount(list(topic.values()))
    expected = []
    for *seen, target in read_histories(sample).values():
        known = {i for i in seen if topic[i] == topic[target]}
        left = sizes[topic[target]] - len(known)
        expected.append(0 if target in known else min(1, 5 / left))
    top = sample_oracle.oracle_top_k(sample, 5)
    assert sample_oracle.recall(sample, top) == pytest.approx(
        np.mean(expected), abs=0.03
    )
    assert sample_oracle.topic_hit_rate(sample, top) > 0.99


def test_true_probabilities_are_as_frequent_as_they_say() -> None:
    # Enough items for every user to have some left in each topic.
    sample = generate(SampleConfig(users=800, items=2400, skew=2.0))
    log, claimed, came_true = sample.log, [], []
    for row in np.flatnonzero(log.is_last):
        seen = log.item[(log.user == log.user[row]) & ~log.is_last]
        odds = sample_oracle.true_probabilities(sample, row, seen)
        assert odds.sum() == pytest.approx(1)
        claimed.append(odds.max())
        came_true.append(odds.argmax() == log.item[row])
    # The spread of the mean of 800 such draws is about .014.
    assert np.mean(came_true) == pytest.approx(np.mean(claimed), abs=0.045)


def test_k_above_the_catalogue_gives_all_that_is_unseen() -> None:
    sample = generate(SampleConfig(users=20, items=5))
    histories = read_histories(sample)
    for user, items in sample_oracle.oracle_top_k(sample, 50).items():
        assert len(items) == 5 - len(set(histories[user][:-1]))


def test_recall_is_the_share_of_targets_found(sample: Sample) -> None:
    users = list(read_histories(sample))[:4]
    target = {user: read_histories(sample)[user][-1] for user in users}
    recommended = {
        users[0]: [target[users[0]]], users[1]: ["x", target[users[1]]],
        users[2]: ["x"], users[3]: [],
    }
    assert sample_oracle.recall(sample, recommended) == 0.5


def test_topic_hit_rate_compares_with_the_topic_of_the_target(
    sample: Sample,
) -> None:
    topic = sample.item_topics()
    user, items = next(iter(read_histories(sample).items()))
    wanted = topic[items[-1]]
    inside = [i for i in topic if topic[i] == wanted]
    outside = [i for i in topic if topic[i] != wanted]
    recommended = {user: [inside[0], *outside[:2], inside[1]]}
    assert sample_oracle.topic_hit_rate(sample, recommended) == 0.5
    assert sample_oracle.topic_hit_rate(sample, {user: []}) == 0.0
