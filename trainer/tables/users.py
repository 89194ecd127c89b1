"""The optional tables: what is known of users, and what scenarios are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema import features
from trainer.tables.items import reject_repeated_ids
from trainer.tables.private_text import note_private_text
from trainer.tables.review import Review

# Whatever is not clearly a yes is no consent.
_YES = ["1", "1.0", "true", "t", "yes", "y"]


@dataclasses.dataclass(frozen=True)
class Users:
    """Users that passed every check, in the order of the file.

    Attributes:
        ids: distinct.
        profiles: what is known of each user as one text, "" for nothing and
            where there is no consent.
    """

    ids: list[str]
    profiles: list[str]


def _verbalise(columns: dict[str, list[str]]) -> list[str]:
    """One text per row: a single column as it is, several with their names.

    Example:
        >>> _verbalise({"age_group": ["18-24", ""], "gender": ["F", "M"]})
        ['age group: 18-24, gender: F', 'gender: M']
    """
    if len(columns) == 1:
        return [value.strip() for value in next(iter(columns.values()))]
    labels = [name.replace("_", " ") for name in columns]
    return [
        ", ".join(
            f"{label}: {value.strip()}"
            for label, value in zip(labels, row, strict=True)
            if value.strip()
        )
        for row in zip(*columns.values(), strict=True)
    ]


def _has_consent(review: Review) -> np.ndarray:
    """[rows] bool; all of them where the table has no such column."""
    if features.CONSENT not in review.table.columns:
        return np.ones(len(review.table), bool)
    answers = pc.utf8_lower(
        pc.utf8_trim_whitespace(review.table.column(features.CONSENT))
    )
    is_yes = pc.is_in(answers, value_set=pa.array(_YES))
    consents = is_yes.to_numpy(zero_copy_only=False)
    review.note(
        "no_consent", features.CONSENT, ~consents, "the profile is not read; "
        f"what counts as consent is {', '.join(_YES)}.",
    )
    return consents


def check_users(review: Review) -> Users:
    """Checks every row and returns the good ones."""
    review.require_id(features.USER_ID)
    reject_repeated_ids(review, features.USER_ID, "user")
    is_open = _has_consent(review)[review.is_kept]
    columns = {
        name: review.kept(review.text(name)).to_pylist()
        for name in review.table.columns
        if name not in (features.USER_ID, features.CONSENT)
    }
    note_private_text(review, columns)
    ids = review.kept(review.table.column(features.USER_ID)).to_pylist()
    profiles = _verbalise(columns) if columns else [""] * len(ids)
    return Users(
        ids,
        [
            profile if may_read else ""
            for profile, may_read in zip(profiles, is_open, strict=True)
        ],
    )


def check_scenarios(review: Review) -> dict[str, str]:
    """Checks every row and returns the descriptions by scenario."""
    review.require_id(features.SCENARIO)
    reject_repeated_ids(review, features.SCENARIO, "scenario")
    names = review.kept(review.table.column(features.SCENARIO))
    descriptions = review.kept(review.text(features.DESCRIPTION))
    return dict(
        zip(names.to_pylist(), descriptions.to_pylist(), strict=True)
    )
