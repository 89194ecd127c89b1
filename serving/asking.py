"""What a request says, as a person writes it: who asks, and by what rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from serving import signatures

if TYPE_CHECKING:
    from serving.fields import Array


@dataclasses.dataclass(frozen=True)
class User:
    """What is known of who asks.

    Attributes:
        history: item ids, oldest first.
        event_types, timestamps, scenarios, texts: one per item of `history`,
            or empty for the defaults; timestamps are unix seconds, texts the
            comments or queries that came with the events.
        scenario: in which the answer will be shown.
        profile_text: interests in words.
    """

    history: Sequence[str] = ()
    event_types: Sequence[str] = ()
    timestamps: Sequence[int] = ()
    scenarios: Sequence[str] = ()
    texts: Sequence[str] = ()
    scenario: str = ""
    profile_text: str = ""

    def __post_init__(self) -> None:
        for name in ("event_types", "timestamps", "scenarios", "texts"):
            size = len(getattr(self, name))
            if size not in (0, len(self.history)):
                raise ValueError(
                    f"{name} has {size} entries for a history of "
                    f"{len(self.history)}; give one per item, or none."
                )

    def inputs(self) -> dict[str, Array]:
        """A batch of one, with texts only where there are any.

        Servers of ours leave them out where the model does not read them.
        """
        given: dict[str, Sequence[Any]] = {
            "history_item_ids": self.history,
            "history_event_types": self.event_types,
            "history_timestamps": self.timestamps,
            "history_scenarios": self.scenarios,
            "history_texts": self.texts,
        }
        sizes = {"b": 1, "L": len(self.history)}
        fields = signatures.known(signatures.USER_INPUTS, any(self.texts))
        arrays = signatures.blank(fields, sizes)
        for name, values in given.items():
            if values and name in arrays:
                arrays[name][0, :] = list(values)
        arrays["scenario"][0] = self.scenario
        arrays["profile_text"][0] = self.profile_text
        return arrays


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that a user did.

    Attributes:
        item_id: of the item; an unknown one changes nothing.
        event_type, scenario: "" is the default.
        timestamp: unix seconds, 0 if unknown.
        text: of a comment or query.
    """

    item_id: str = ""
    event_type: str = ""
    timestamp: int = 0
    scenario: str = ""
    text: str = ""

    def inputs(self) -> dict[str, Array]:
        """A batch of one, with the text only where there is one."""
        given = dataclasses.asdict(self)
        fields = [
            field
            for field in signatures.SIGNATURES[signatures.ADVANCE].inputs
            if field.name in given and (self.text or not field.is_text)
        ]
        arrays = signatures.blank(fields, {"b": 1})
        for name, array in arrays.items():
            array[0] = given[name]
        return arrays


@dataclasses.dataclass(frozen=True)
class Policy:
    """Rules for what `Client.recommend` answers; the defaults are none.

    Attributes:
        allow: ids, of which all answers are; any if empty.
        now: unix seconds: items with a later `available_from` are left out.
        min_available_from: unix seconds: items with an earlier
            `available_from`, or none, are left out.
        max_per_category: answers of one category.
        rerank: weight of the ranking head beside the score.
        diversity: 0 to 1, how much difference counts beside the score.
        diversity_method: mmr or dpp.
        exploration: 0 to 1, share of the answers that is drawn.
        seed: of the draws; take a new one for each request, and log it.
    """

    allow: Sequence[str] = ()
    now: int = 0
    min_available_from: int = 0
    max_per_category: int = 0
    rerank: float = 0.0
    diversity: float = 0.0
    diversity_method: str = signatures.MMR
    exploration: float = 0.0
    seed: int = 0

    def inputs(self) -> dict[str, Array]:
        """A batch of one."""
        arrays = signatures.blank(
            signatures.POLICY_INPUTS, {"b": 1, "A": len(self.allow)}
        )
        arrays["allow_item_ids"][0, :] = list(self.allow)
        for field in dataclasses.fields(self):
            if field.name in arrays:
                arrays[field.name][0] = getattr(self, field.name)
        return arrays


NO_RULES = Policy()
