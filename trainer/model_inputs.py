"""What the model knows besides its weights, as arrays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from trainer.config import RunConfig
from trainer.encoder import TextEncoder
from trainer.event_counts import EventCounts
from trainer.prepare import Prepared
from trainer.text_cache import TextCache


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """Tables aligned with the vocabularies, and sizes.

    Attributes:
        text: [items, T] float32 vectors of a frozen encoder, zeros where
            items are not known by their texts; [items, tokens] int32 ids where
            the encoder is tuned.
        category_codes: [items, levels] int32, -1 for none.
        brand_codes: [items] int32, -1 for none.
        counts: [items] train events.
        profiles: [profiles + 1, T] float32 or [.., tokens] int32; row 0 is
            "no profile".
        num_categories, num_brands: vocabulary sizes.
        num_scenarios, num_event_types: with the unknown one, 0.
        has_labels: whether there is anything to rank by.
        behaviour: [texts, T] float32 vectors of what events say; row 0 is
            zeros, for nothing. None where that is not read.
        events: of which recent popularity is counted; None where it is not
            read.
    """

    text: np.ndarray
    category_codes: np.ndarray
    brand_codes: np.ndarray
    counts: np.ndarray
    profiles: np.ndarray
    num_categories: int
    num_brands: int
    num_scenarios: int
    num_event_types: int
    has_labels: bool
    behaviour: np.ndarray | None = None
    events: EventCounts | None = None


def build_inputs(
    prepared: Prepared, encoder: TextEncoder, config: RunConfig, folder: Path
) -> ModelInputs:
    """Tables for the model, texts as vectors or, to be tuned, as tokens."""
    settings = config.text
    catalogue, spoken = prepared.catalogue, prepared.event_texts.spoken
    behaviour = None
    if settings.tunes_encoder:
        text = encoder.token_table(catalogue.texts)
        profiles = encoder.token_table(prepared.profile_texts)
    else:
        cache = TextCache(
            folder, encoder.fingerprint(), encoder.dim,
            settings.text_cache_precision,
        )
        if config.model.reads_text:
            text = cache.vectors(catalogue.texts, encoder.encode_bulk)
            print(f"item texts: {cache.account}")
            profiles = cache.vectors(
                prepared.profile_texts, encoder.encode_bulk
            )
        else:
            text, profiles = (
                np.zeros((len(texts), encoder.dim), np.float32)
                for texts in (catalogue.texts, prepared.profile_texts)
            )
        if spoken:
            behaviour = cache.vectors(spoken.texts, encoder.encode_bulk)
            print(f"event texts: {cache.account}")
    return ModelInputs(
        text=text,
        category_codes=catalogue.category_codes,
        brand_codes=catalogue.brand_codes,
        counts=catalogue.counts,
        profiles=profiles,
        num_categories=len(catalogue.categories),
        num_brands=len(catalogue.brands),
        num_scenarios=len(prepared.scenarios) + 1,
        num_event_types=len(prepared.event_types) + 1,
        has_labels=prepared.label_scale.kind != "none",
        behaviour=behaviour,
        events=_events(prepared, config),
    )


def _events(prepared: Prepared, config: RunConfig) -> EventCounts | None:
    half_lives = config.model.half_lives
    if not half_lives:
        return None
    return EventCounts.known(
        prepared.sequences, len(prepared.catalogue), half_lives,
        config.data.split,
    )
