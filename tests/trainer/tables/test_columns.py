from __future__ import annotations

from pathlib import Path

import pytest

from trainer.tables.columns import column_errors, unused_columns

PATH = Path("f.csv")


def test_complete_columns_are_no_error():
    assert column_errors("items", ["item_id", "keywords"], PATH) == []


def test_every_missing_column_is_named_with_the_nearest_one():
    errors = column_errors("events", ["userId", "item_id", "timestmp"], PATH)
    assert [error.column for error in errors] == ["user_id", "timestamp"]
    assert "is it 'userId'?" in errors[0].remedy
    assert "is it 'timestmp'?" in errors[1].remedy


def test_a_column_with_a_role_of_its_own_is_not_suggested():
    (error,) = column_errors("events", ["item_id", "timestamp"], PATH)
    assert "is it" not in error.remedy
    assert "only 'item_id', 'timestamp'" in error.remedy


def test_items_need_one_column_that_says_what_they_are():
    (error,) = column_errors("items", ["item_id", "brand", "titel"], PATH)
    assert error.column == "title"
    assert "is it 'titel'?" in error.remedy
    assert "One of title, description, keywords" in error.remedy


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_separator_is_suspected(mark):
    header = mark.join(["scenario", "description"])
    (error,) = column_errors("scenarios", [header], PATH)
    assert "separated by commas" in error.remedy


def test_unknown_columns_are_named_in_one_sentence():
    found = ["item_id", "title", "colour", "size"]
    assert unused_columns("items", found, ["item_id", "title"]) == [
        "items: ignored columns that the data contract does not know: "
        "'colour', 'size'."
    ]


def test_a_misspelt_optional_column_gets_the_nearest_name():
    (note,) = unused_columns("items", ["item_id", "titel"], ["item_id"])
    assert "'titel' (did you mean 'title'?)" in note


def test_a_name_that_is_taken_is_not_suggested():
    found = ["item_id", "title", "titel"]
    (note,) = unused_columns("items", found, ["item_id", "title"])
    assert note.endswith("know: 'titel'.")


def test_known_columns_that_are_not_read_are_named():
    found = ["item_id", "title", "price"]
    assert unused_columns("items", found, ["item_id", "title"]) == [
        "items: columns that the model does not read: price."
    ]
