"""Settings of the sample logs and the dates that they cover."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import numpy.typing as npt

from trainer.fields import check_fields, option

LanguageName = Literal["en", "zh"]
Array = npt.NDArray[Any]

DAY = 86_400  # seconds
LAST_MOMENT = 1_704_067_200  # 2024-01-01 UTC: fixed, so that bytes repeat
SPAN_DAYS = 90
FIRST_MOMENT = LAST_MOMENT - SPAN_DAYS * DAY

MAX_TOPICS = 16  # vocabularies in trainer.sample_words_*
MAX_SCENARIOS = 6


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """How much is made, and how strong the planted facts are.

    Raises:
        ValueError: if a field is outside its range.
    """

    users: int = option(
        2000, "users, cold ones included", low=1, high=200_000
    )
    items: int = option(
        500, "items, cold ones included", low=1, high=1_000_000
    )
    seed: int = option(0, "seed of every random draw", low=0)
    language: LanguageName = option("en", "language of all text")
    topics: int = option(
        12, "topics; a smaller catalogue has one per item",
        low=1, high=MAX_TOPICS,
    )
    scenarios: int = option(
        3, "scenarios, each with its own favourite topics and event types",
        low=1, high=MAX_SCENARIOS,
    )
    events_per_user: int = option(
        20, "mean length of a history of a user who is not cold",
        low=4, high=1000,
    )
    skew: float = option(
        1.0, "exponent of the Zipf law of items within a topic; 0 is flat",
        low=0.0, high=5.0,
    )
    transition: float = option(
        0.4, "share of new sessions that go on to the topic that follows the "
        "last one; higher makes order matter more", low=0.0, high=1.0,
    )
    focus: float = option(
        0.85, "share of a session's events that stay on its topic",
        low=0.0, high=1.0,
    )
    repeats: float = option(
        0.05, "share of events that return to an item of the user's recent "
        "past; never the last event", low=0.0, high=0.9,
    )
    search_share: float = option(
        0.0, "share of the events before another topic that are searches, "
        "whose text names that topic and nothing else does",
        low=0.0, high=1.0,
    )
    cold_items: float = option(
        0.1, "share of items that occur only as last events of the last days "
        "and have no category or brand: their text alone tells the topic",
        low=0.0, high=0.9,
    )
    cold_users: float = option(
        0.05, "share of users with a profile text and one or two events, in "
        "the last days", low=0.0, high=1.0,
    )
    near_duplicates: float = option(
        0.02, "share of items that copy another, title slightly changed",
        low=0.0, high=0.5,
    )
    bad_rows: float = option(
        0.0, "bad rows to add, as a share of the rows of events and of items",
        low=0.0, high=0.5,
    )

    def __post_init__(self) -> None:
        check_fields(self)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{field.name} must be finite, got {value}.")
