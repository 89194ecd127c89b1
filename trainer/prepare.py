"""From validated tables to what the model is trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from schema import features
from trainer.behaviour import TRAIN, Sequences, build_sequences
from trainer.catalogue import Catalogue, build_catalogue, vocabulary
from trainer.config import RunConfig
from trainer.tables import Dataset


@dataclasses.dataclass(frozen=True)
class LabelScale:
    """What the ranking head predicts, and its range in the user's unit.

    Attributes:
        kind: rating, strength (of the event type) or none.
        low, high: what 0 and 1 of the scaled label stand for.
    """

    kind: str
    low: float
    high: float

    def scale(self, values: np.ndarray) -> np.ndarray:
        """User's unit -> [0, 1]; NaN stays NaN."""
        return (values - self.low) / max(self.high - self.low, 1e-6)

    def unscale(self, values: np.ndarray) -> np.ndarray:
        """[0, 1] -> user's unit."""
        return self.low + values * (self.high - self.low)


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Everything that training, evaluation and export read.

    Attributes:
        sequences: all events in order, in vocabulary codes.
        catalogue: items in vocabulary order.
        event_types, scenarios: vocabularies; code 0 is the unknown one and
            the name at index i has the code i + 1.
        labels: [events] float32 scaled ranking labels, NaN where none.
        label_scale: what the labels mean.
        profile_texts: row 0 is "", the text of nobody.
        profile_of: [users] int32 row of `profile_texts`.
        span: first and last timestamp of the train events, unix seconds.
    """

    sequences: Sequences
    catalogue: Catalogue
    event_types: list[str]
    scenarios: list[str]
    labels: np.ndarray
    label_scale: LabelScale
    profile_texts: list[str]
    profile_of: np.ndarray
    span: tuple[int, int]


def prepare(dataset: Dataset, config: RunConfig) -> Prepared:
    """Splits, orders and codes the tables.

    Raises:
        ValueError: if the split leaves nothing to train on.
    """
    events = dataset.events
    raw = build_sequences(events, config.data, config.training.seed)
    is_train = raw.split == TRAIN
    if not is_train.any():
        raise ValueError(
            f"--split {config.data.split} leaves no train events out of "
            f"{len(raw.item)}; bring more events or choose another split."
        )
    catalogue = build_catalogue(
        dataset.items, raw.item[is_train], config.text.column_names
    )
    event_types, event_type = _recode(
        events.event_types, raw.event_type, is_train
    )
    scenarios, scenario = _recode(events.scenarios, raw.scenario, is_train)
    sequences = dataclasses.replace(
        raw,
        item=catalogue.code_of[raw.item],
        event_type=event_type,
        scenario=scenario,
    )
    text_of = dict(
        zip(dataset.users.ids, dataset.users.profiles, strict=True)
    )
    return assemble(
        sequences,
        catalogue,
        event_types=event_types,
        scenarios=scenarios,
        profiles=[text_of.get(user, "") for user in events.user_ids],
    )


def assemble(
    sequences: Sequences,
    catalogue: Catalogue,
    *,
    event_types: list[str],
    scenarios: list[str],
    profiles: Sequence[str],
) -> Prepared:
    """Puts together what both ways in, files and pipeline, end with.

    Args:
        sequences: in vocabulary codes.
        catalogue: items in vocabulary order.
        event_types, scenarios: vocabularies.
        profiles: [users] profile text, "" for none.
    """
    labels, label_scale = _labels(sequences, event_types)
    texts = list(dict.fromkeys(["", *profiles]))
    row = {text: i for i, text in enumerate(texts)}
    times = sequences.timestamp[sequences.split == TRAIN]
    return Prepared(
        sequences=sequences,
        catalogue=catalogue,
        event_types=event_types,
        scenarios=scenarios,
        labels=labels,
        label_scale=label_scale,
        profile_texts=texts,
        profile_of=np.array([row[text] for text in profiles], np.int32),
        span=(int(times.min()), int(times.max())),
    )


def _recode(
    names: list[str], codes: np.ndarray, is_train: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Vocabulary of the train events, and codes with 0 for unknown."""
    counts = np.bincount(codes[is_train], minlength=len(names))
    known = vocabulary(
        name
        for name, count in zip(names, counts, strict=True)
        for _ in range(int(count))
    )
    code = {name: i + 1 for i, name in enumerate(known)}
    table = np.array([code.get(name, 0) for name in names], np.int32)
    return known, table[codes]


def _labels(
    sequences: Sequences, event_types: list[str]
) -> tuple[np.ndarray, LabelScale]:
    """Ratings where there are any, else event strength, else nothing."""
    is_train = sequences.split == TRAIN
    ratings = sequences.rating[is_train]
    ratings = ratings[~np.isnan(ratings)]
    if len(ratings) and ratings.min() < ratings.max():
        scale = LabelScale("rating", float(ratings.min()), float(ratings.max()))
        return scale.scale(sequences.rating).astype(np.float32), scale
    if len(event_types) > 1:
        strength = features.EVENT_STRENGTHS
        known = [strength.get(name, np.nan) for name in event_types]
        table = np.array([np.nan, *known], np.float32)
        scale = LabelScale("strength", 0.0, 1.0)
        return table[sequences.event_type], scale
    nothing = np.full(len(sequences.item), np.nan, np.float32)
    return nothing, LabelScale("none", 0.0, 1.0)
