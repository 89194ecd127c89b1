from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from trainer.tables.events import check_events
from trainer.tables.items import check_items
from trainer.tables.private_text import (
    has_email,
    has_phone,
    note_private_text,
)
from trainer.tables.raw_table import RawTable
from trainer.tables.review import Review
from trainer.tables.users import check_users


def found(find, text: str) -> bool:
    return find(pa.array([text, ""])).tolist() == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "jane.doe@example.com", "write to J_D+x@mail.example.co.uk.",
        "\u90ae\u7bb1\uff1ali4@163.com\u3002", "<a@b.io>",
    ],
)
def test_an_email_address_is_found(text):
    assert found(has_email, text)


@pytest.mark.parametrize(
    "text",
    ["meet @ noon", "@handle", "2 @ 3.50", "a@b", "user at example.com", "@"],
)
def test_an_at_sign_alone_is_no_address(text):
    assert not found(has_email, text)


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0958", "call +1 (212) 555-0123 now", "+8613812345678",
        "+49-171-2345678.", "(212) 555-0123", "212-555-0123",
        "1-800-555-0199", "212.555.0123,", "01 23 45 67 89", "020 7946 0958",
        "0171/2345678", "(030) 1234567", "138-1234-5678", "Tel: 2125550123",
        "phone 5551234567", "\u7535\u8bdd\uff1a13812345678",
        "\u624b\u673a13812345678\u3002",
    ],
)
def test_a_phone_number_is_found(text):
    assert found(has_phone, text)


@pytest.mark.parametrize(
    "text",
    [
        "ISBN 978-0-306-40615-7", "ISBN 0-306-40615-2", "9780306406157",
        "ISBN-10: 0306406152", "2019-2020", "born 1984, died 2003",
        "2023-10-05 12:30:45", "05.10.2023", "01/02/2023", "1696322103",
        "$1,299.00", "1 299 000,00", "USD 212.555", "12,345,678,901",
        "10 x 20 x 30 cm", "120x60x75", "300 400 5000", "3.5-4.25-5.75",
        "B00ABCDEFG", "B0123456789", "SKU 00123-4567-890", "192.168.100.200",
        "4006381333931", "1:24:36:48", "+5% off 100 200 300", "a+123456789",
        "5-212-555-0123-7", "model 212-555-01234", "1/2-13 3/4-10",
        "100 200 300 400", "ratio 16:9 1920 1080", "10-20-30-40-50",
    ],
)
def test_other_numbers_are_no_phone_numbers(text):
    assert not found(has_phone, text)


def review_of(table: str, columns: dict[str, list[str]]) -> Review:
    arrays = {name: pa.array(texts) for name, texts in columns.items()}
    count = len(next(iter(columns.values())))
    return Review(RawTable(table, arrays, np.arange(1, count + 1)))


def notes_of(review: Review) -> list[tuple[str, str, int, tuple[int, ...]]]:
    return [
        (a.name, a.column, a.rows, a.first_rows)
        for a in review.anomalies
        if a.name.startswith("pii")
    ]


def test_rows_are_counted_and_texts_are_not_repeated():
    review = review_of(
        "items", {"title": ["x", "a@example.com", "b@example.com"]}
    )
    note_private_text(review, ["title", "brand"])
    assert notes_of(review) == [("pii_email", "title", 2, (2, 3))]
    assert "example" not in str(review.anomalies[0])
    assert review.is_kept.all()


def test_items_users_and_events_are_looked_at():
    items = review_of("items", {
        "item_id": ["1"], "title": ["call 212-555-0123"],
        "keywords": ["a@example.com"],
    })
    check_items(items)
    assert {note[:2] for note in notes_of(items)} == {
        ("pii_phone", "title"), ("pii_email", "keywords"),
    }
    users = review_of("users", {
        "user_id": ["a@example.com"], "city": ["b@example.com"],
    })
    check_users(users)
    assert [note[:2] for note in notes_of(users)] == [("pii_email", "city")]
    events = review_of("events", {
        "user_id": ["u"], "item_id": ["1"], "timestamp": ["5"],
        "text": ["a@example.com"],
    })
    check_events(events, ["1"], 10)
    assert [note[:2] for note in notes_of(events)] == [("pii_email", "text")]
