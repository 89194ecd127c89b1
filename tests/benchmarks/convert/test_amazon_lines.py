from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.convert.amazon_lines import (
    OF_2014,
    OF_2018,
    OF_2023,
    Version,
    item_parser,
    review_parser,
)
from benchmarks.convert.faults import BadLineError

REVIEW = {
    "reviewerID": "A1", "asin": "B1", "overall": 4.0,
    "unixReviewTime": 1406073600, "reviewText": "Good.",
}
REVIEW_2023 = {
    "user_id": "AE1", "parent_asin": "B1", "asin": "B2", "rating": 5.0,
    "timestamp": 1588615855070, "text": "Good.",
}


def test_reviews_of_days_have_no_position():
    for version in (OF_2014, OF_2018):
        parse = review_parser(version)
        assert parse(json.dumps(REVIEW)) == ("A1", "B1", 1406073600, 4.0)
    assert review_parser(OF_2014)(repr(REVIEW)) == (
        "A1", "B1", 1406073600, 4.0,
    )


def test_reviews_of_2023_keep_the_millisecond_as_position():
    assert review_parser(OF_2023)(json.dumps(REVIEW_2023)) == (
        "AE1", "B1", 1588615855, 5.0, 70,
    )


@pytest.mark.parametrize(
    ("version", "record"),
    [(OF_2014, REVIEW), (OF_2018, REVIEW), (OF_2023, REVIEW_2023)],
)
def test_a_review_without_a_field_names_it(
    version: Version, record: dict[str, Any]
) -> None:
    for name in (version.user, version.item, version.rating, version.time):
        less = {key: value for key, value in record.items() if key != name}
        with pytest.raises(BadLineError, match=f"has no '{name}'"):
            review_parser(version)(json.dumps(less))


def test_metadata_of_2014_are_python_with_nested_categories():
    line = (
        "{'asin': 'B1', 'title': 'Soap &amp; \"Dish\"', 'price': 7.99, "
        "'description': \"It's <b>soft</b> soap.\", 'brand': 'Foamy', "
        "'related': {'also_bought': ['B2']}, 'salesRank': {'Beauty': 12}, "
        "'categories': [['Beauty', 'Bath &amp; Body'], ['Gifts']]}"
    )
    assert item_parser(OF_2014)(line) == {
        "item_id": "B1", "title": 'Soap & "Dish"',
        "description": "It's soft soap.",
        "categories": "Beauty > Bath & Body | Gifts",
        "brand": "Foamy", "price": "7.99",
    }


def test_metadata_of_2018_are_json_with_lists():
    record = {
        "asin": "B1", "title": "Soap &amp; Dish", "price": "$1,007.90",
        "feature": ["Soft", "Pink"], "description": ["It is", "<p>soap</p>"],
        "brand": "Foamy", "category": ["Beauty", "Bath", "</span>"],
    }
    assert item_parser(OF_2018)(json.dumps(record)) == {
        "item_id": "B1", "title": "Soap & Dish",
        "description": "Soft Pink It is soap", "categories": "Beauty > Bath",
        "brand": "Foamy", "price": "1007.90",
    }


def test_a_title_that_is_javascript_is_none():
    record = {"asin": "B1", "title": "var t = new Date().getTime();"}
    assert item_parser(OF_2018)(json.dumps(record))["title"] == ""


def test_metadata_of_2023_have_a_store_and_missing_values():
    record = {
        "parent_asin": "B1", "main_category": "All Beauty", "title": "Soap",
        "features": ["Soft"], "description": ["For hands"], "price": None,
        "store": None, "categories": [],
    }
    assert item_parser(OF_2023)(json.dumps(record)) == {
        "item_id": "B1", "title": "Soap", "description": "Soft For hands",
        "categories": "", "brand": "", "price": "",
    }
    record |= {"store": "Foamy", "price": 9.5, "categories": ["Beauty", "Bath"]}
    row = item_parser(OF_2023)(json.dumps(record))
    assert (row["brand"], row["price"]) == ("Foamy", "9.5")
    assert row["categories"] == "Beauty > Bath"


def test_fields_of_another_type_are_nothing():
    record = {
        "asin": "B1", "title": 5, "description": {"a": 1}, "category": "Bath",
        "feature": [None, 3, "Soft"], "brand": ["X"],
    }
    row = item_parser(OF_2018)(json.dumps(record))
    assert (row["title"], row["description"]) == ("", "Soft")
    assert (row["categories"], row["brand"]) == ("", "X")


def test_an_item_without_id_is_a_bad_line():
    with pytest.raises(BadLineError, match="has no 'asin'"):
        item_parser(OF_2018)('{"title": "Soap"}')
