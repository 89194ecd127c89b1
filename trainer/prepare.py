"""From validated tables to what the model is trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from schema import features
from trainer.behaviour import (
    TRAIN,
    Sequences,
    build_sequences,
    order_events,
)
from trainer.catalogue import Catalogue, build_catalogue, vocabulary
from trainer.config import RunConfig
from trainer.event_texts import EventTexts
from trainer.tables import Dataset, Events
from trainer.template_setting import read_templates
from trainer.text_config import TextConfig


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
        event_texts: what the events say.
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
    event_texts: EventTexts


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
    prepared = assemble(
        sequences,
        catalogue,
        event_types=event_types,
        scenarios=scenarios,
        profiles=[text_of.get(user, "") for user in events.user_ids],
    )
    if not config.text.reads_behaviour:
        return prepared
    texts = _own_texts(events)
    return put_in_words(
        prepared, texts, _columns(dataset, catalogue), config.text
    )


def _own_texts(events: Events) -> EventTexts:
    """Of all events in order.

    Raises:
        ValueError: if the tables were read without them.
    """
    text = order_events(events).text
    if text is None:
        raise ValueError(
            "behaviour_text is set and the events were read without their "
            "texts; give load_dataset reads_text=True."
        )
    return EventTexts.of(events.texts, text)


def _columns(dataset: Dataset, catalogue: Catalogue) -> dict[str, list[str]]:
    """Item columns in catalogue order."""
    order = np.argsort(catalogue.code_of)
    return {
        name: [values[row] for row in order]
        for name, values in dataset.items.columns.items()
    }


def put_in_words(
    prepared: Prepared,
    own: EventTexts,
    columns: Mapping[str, Sequence[str]],
    settings: TextConfig,
) -> Prepared:
    """The same data with what its events say.

    Args:
        prepared: of `assemble`.
        own: texts that the events came with.
        columns: [items] values by column, in catalogue order; a column that
            is missing is empty.
        settings: with templates, or without, for own texts alone.
    """
    templates = read_templates(settings.behaviour_text)
    if templates:
        blank = [""] * len(prepared.catalogue)
        used = {
            name: columns.get(name, blank) for name in templates.item_columns
        }
        own = own.put_in_words(
            templates, used, prepared.sequences, prepared.event_types
        )
    return dataclasses.replace(prepared, event_texts=own)


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

    Returns:
        With events that say nothing; `put_in_words` lets them speak.
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
        event_texts=EventTexts.silent(len(sequences.item)),
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
