"""Finds what points to a person in texts: e-mail addresses and phone numbers.

What is found is counted and located, never repeated. A phone number is told by
its form, so that ISBNs, years, prices, sizes and product codes are none.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trainer.tables.review import Review

_EMAIL = (
    r"(?i)[a-z0-9][a-z0-9._%+\-]*@[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?"
    r"(?:\.[a-z0-9\-]+)*\.[a-z]{2,}"
)
# Neither side of a number may go on as a code, a price or another number.
_BEFORE, _AFTER = r"(?:^|[^\w.,+/$\-])", r"(?:$|[^\w\-/])"
_PHONE_FORMS = (
    r"\+[1-9](?:[ .\-()]{0,2}\d){8,14}",  # +44 20 7946 0958
    r"(?:1[ .\-])?\([2-9]\d{2}\) ?[2-9]\d{2}[ .\-]\d{4}",  # (212) 555-0123
    r"(?:1[.\-])?[2-9]\d{2}[.\-][2-9]\d{2}[.\-]\d{4}",  # 212-555-0123
    r"0[1-9](?:[ .\-]\d{2}){4}",  # 01 23 45 67 89
    r"\(?0[1-9]\d{1,3}\)?[ /\-]\d{3,4}[ \-]?\d{3,4}",  # 020 7946 0958
    r"1[3-9]\d[ \-]\d{4}[ \-]\d{4}",  # 138 1234 5678
    r"(?i:tel|phone|mobile|whatsapp|fax)[ .:#]{0,3}\d{9,15}",
    "(?:\u7535\u8bdd|\u624b\u673a)[ :\uff1a]{0,2}\\d{9,15}",
)
_PHONE = f"{_BEFORE}(?:{'|'.join(_PHONE_FORMS)}){_AFTER}"


def _matches(texts: pa.Array, mark: str, pattern: str) -> np.ndarray:
    # Most texts lack the mark, and to look for it is quick.
    has_mark = pc.match_substring_regex(texts, mark)
    rows = np.flatnonzero(has_mark.to_numpy(zero_copy_only=False))
    found = np.zeros(len(texts), bool)
    if len(rows):
        some = pc.match_substring_regex(texts.take(pa.array(rows)), pattern)
        found[rows] = some.to_numpy(zero_copy_only=False)
    return found


def has_email(texts: pa.Array) -> np.ndarray:
    """[rows] bool: an e-mail address stands somewhere in the text."""
    return _matches(texts, "@", _EMAIL)


def has_phone(texts: pa.Array) -> np.ndarray:
    """[rows] bool: a phone number of nine digits or more stands there."""
    return _matches(texts, r"\d{2}", _PHONE)


def note_private_text(review: Review, columns: Iterable[str]) -> None:
    """Notes pii_email and pii_phone for each column that the table has."""
    for column in columns:
        if column not in review.table.columns:
            continue
        texts = review.table.column(column)
        for name, noun, find in (
            ("pii_email", "e-mail addresses", has_email),
            ("pii_phone", "phone numbers", has_phone),
        ):
            review.note(
                name, column, find(texts), f"texts seem to hold {noun}; mask "
                "them before the tables are exported, for texts go into the "
                "model, its caches and statistics.",
            )
