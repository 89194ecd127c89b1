"""Searches name what comes next, and change nothing else."""

from __future__ import annotations

import collections

import numpy as np
import pytest

from trainer.sample.config import SampleConfig
from trainer.sample.logs import Sample, generate
from trainer.sample.searches import topic_after
from trainer.sample.tables import LANGUAGES

SMALL = {"users": 120, "items": 150, "seed": 3}


@pytest.fixture(scope="module")
def sample() -> Sample:
    return generate(SampleConfig(**SMALL, search_share=0.6))


@pytest.fixture(scope="module")
def plain() -> Sample:
    return generate(SampleConfig(**SMALL))


def rows_by_user(sample: Sample) -> dict[str, list[dict[str, object]]]:
    """Rows of the events table, each user's in order."""
    table = sample.tables["events"]
    rows = [
        dict(zip(table, row, strict=True))
        for row in zip(*table.values(), strict=True)
    ]
    found = collections.defaultdict(list)
    for row in rows:
        found[row["user_id"]].append(row)
    return {
        user: sorted(of, key=lambda row: row["position"])
        for user, of in found.items()
    }


def test_the_topic_after_is_that_of_the_next_row(sample: Sample) -> None:
    log = sample.log
    after = topic_after(log)
    topic = {}
    for row in reversed(range(len(log.user))):  # the log is in time's order
        user, position = log.user[row], log.position[row]
        topic[user, position] = log.topic[row]
    for row in range(len(log.user)):
        wanted = topic.get((log.user[row], log.position[row] + 1), -1)
        assert after[row] == wanted


def test_a_search_s_text_is_a_noun_of_the_topic_of_the_next_item(
    sample: Sample,
) -> None:
    topics, nouns = sample.item_topics(), LANGUAGES["en"].topics
    searches = turns = 0
    for rows in rows_by_user(sample).values():
        for row, following in zip(rows, rows[1:], strict=False):
            own, later = (topics[r["item_id"]] for r in (row, following))
            turns += own != later
            if row["event_type"] == "search":
                searches += 1
                assert later != own
                assert row["text"] in nouns[later].nouns
                assert row["rating"] is None
        assert rows[-1]["event_type"] != "search"
    assert sample.truth["counts"]["searches"] == searches
    # 60 % of several hundred turns: three standard deviations around it.
    assert turns > 400
    assert abs(searches / turns - 0.6) < 3 * np.sqrt(0.24 / turns)


def test_all_else_is_as_without_searches(
    sample: Sample, plain: Sample
) -> None:
    for name in ("user_id", "item_id", "timestamp", "scenario", "position"):
        column = [s.tables["events"][name] for s in (sample, plain)]
        assert column[0] == column[1]
    for name in ("items", "users", "scenarios"):
        assert sample.tables[name] == plain.tables[name]
    assert "search" not in plain.tables["events"]["event_type"]
